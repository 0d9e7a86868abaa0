// SPDX-License-Identifier: Apache-2.0

package program

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yamlLine finds the line in the YAML library's errors.
var yamlLine = regexp.MustCompile(`(?m)^(?:yaml: )?\s*line (\d+): (.*)$`)

// LoadYAML reads a file into a struct. Unknown fields are errors; each error names
// the file and the line, and is a usage error.
func LoadYAML(path string, into any) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return Usagef("the file can't be read: %w", err)
	}
	return ParseYAML(path, data, into)
}

// ParseYAML is LoadYAML for a file already read.
func ParseYAML(path string, data []byte, into any) error {
	decoder := yaml.NewDecoder(bytes.NewReader(data))
	decoder.KnownFields(true)
	err := decoder.Decode(into)
	if err == nil && !errors.Is(decoder.Decode(&struct{}{}), io.EOF) {
		err = errors.New("there is more than one document")
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, io.EOF):
		return Usagef("%s: the file is empty", path)
	}
	lines := yamlLine.FindAllStringSubmatch(err.Error(), -1)
	if lines == nil {
		return Usagef("%s: %w", path, err)
	}
	var text []string
	for _, line := range lines {
		text = append(text, fmt.Sprintf("%s:%s: %s", path, line[1], line[2]))
	}
	return Usage(errors.New(strings.Join(text, "\n")))
}
