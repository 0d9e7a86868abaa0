// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// show prints a message as JSON, or the table made of it.
func (t *tool) show(message proto.Message, header string, rows [][]string) error {
	if t.output == "json" {
		return t.json(message)
	}
	w := tabwriter.NewWriter(t.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(w, strings.ReplaceAll(header, " ", "\t"))
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// json prints a message with the field names of drummer.proto. 64-bit numbers
// are strings, as in all JSON made from protocol buffers.
func (t *tool) json(message proto.Message) error {
	data, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		return err
	}
	var indented bytes.Buffer // protojson varies its spaces on purpose
	if err := json.Indent(&indented, data, "", "  "); err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.out, indented.String())
	return err
}

// jsonLine prints a message as JSON on one line.
func (t *tool) jsonLine(message proto.Message) error {
	data, err := protojson.MarshalOptions{UseProtoNames: true, EmitUnpopulated: true}.Marshal(message)
	if err != nil {
		return err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, data); err != nil {
		return err
	}
	_, err = fmt.Fprintln(t.out, compact.String())
	return err
}

// say reports that something is done: a sentence, or an object for programs.
func (t *tool) say(format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if t.output == "json" {
		return json.NewEncoder(t.out).Encode(map[string]string{"result": text})
	}
	_, err := fmt.Fprintln(t.out, text)
	return err
}

func number[N uint32 | uint64](n N) string { return fmt.Sprint(n) }

func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}
