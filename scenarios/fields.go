// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"encoding"
	"reflect"
	"strings"
)

// field is one field of a struct of a scenario, as its tags describe it.
type field struct {
	key      string
	doc      string
	fallback string // the default, in the field's YAML form; empty: none
	min, max string
	enum     []string
	required bool
	optional bool
	index    int
	typ      reflect.Type
}

// fieldsOf reads the descriptions of all exported fields of a struct type, in
// their order.
func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		goField := t.Field(i)
		if !goField.IsExported() {
			continue
		}
		tag := goField.Tag
		f := field{
			key: tag.Get("key"), doc: tag.Get("doc"), fallback: tag.Get("default"),
			min: tag.Get("min"), max: tag.Get("max"),
			required: tag.Get("required") == "true", optional: tag.Get("optional") == "true",
			index: i, typ: goField.Type,
		}
		if f.min == "" && isNumber(f.typ) {
			f.min = "0"
		}
		if enum := tag.Get("enum"); enum != "" {
			f.enum = strings.Split(enum, "|")
		}
		fields = append(fields, f)
	}
	return fields
}

// keysOf returns the keys of the fields.
func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// isText tells whether values of type t are read from text by their own method.
func isText(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(textUnmarshaler)
}

// parseText reads text into v, whose type must be isText.
func parseText(v reflect.Value, text string) error {
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
}

// formatText is the inverse of parseText.
func formatText(v reflect.Value) string {
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err != nil { // none of the types of this package can fail
		return err.Error()
	}
	return string(text)
}

// Entry is a line of the reference of fields.
type Entry struct {
	Path    string // such as clusters.size or faults[].every
	Type    string // text, whole number, duration …
	Default string
	Limits  string
	Doc     string
}

// Reference lists every field of a scenario, in the order of the file.
func Reference() []Entry {
	return reference(reflect.TypeFor[Scenario](), "")
}

func reference(t reflect.Type, prefix string) []Entry {
	var entries []Entry
	for _, f := range fieldsOf(t) {
		path := prefix + f.key
		entries = append(entries, Entry{Path: path, Type: typeName(f), Default: f.defaultText(), Limits: f.limits(), Doc: f.doc})
		switch inner := elem(f.typ); {
		case inner.Kind() != reflect.Struct || isText(inner):
		case f.typ.Kind() == reflect.Slice:
			entries = append(entries, reference(inner, path+"[].")...)
		default:
			entries = append(entries, reference(inner, path+".")...)
		}
	}
	return entries
}

// elem strips one pointer or slice off t.
func elem(t reflect.Type) reflect.Type {
	if t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		return t.Elem()
	}
	return t
}

func (f field) defaultText() string {
	if f.required {
		return "required"
	}
	return f.fallback
}

// limits describes in words which values are allowed.
func (f field) limits() string {
	switch {
	case len(f.enum) > 0:
		return strings.Join(f.enum, ", ")
	case f.min != "" && f.max != "":
		return f.min + " to " + f.max
	case f.min != "":
		return "at least " + f.min
	case f.max != "":
		return "at most " + f.max
	}
	return ""
}

var typeNames = map[reflect.Type]string{
	reflect.TypeFor[Duration]():       "duration",
	reflect.TypeFor[Range]():          "duration or range",
	reflect.TypeFor[Percent]():        "percent",
	reflect.TypeFor[Target]():         "target",
	reflect.TypeFor[string]():         "text",
	reflect.TypeFor[int]():            "whole number",
	reflect.TypeFor[float64]():        "number",
	reflect.TypeFor[bool]():           "true or false",
	reflect.TypeFor[[]string]():       "list of text",
	reflect.TypeFor[[]Duration]():     "list of durations",
	reflect.TypeFor[map[string]int](): "mapping of names to whole numbers",
}

func typeName(f field) string {
	if name, ok := typeNames[f.typ]; ok {
		return name
	}
	if f.typ.Kind() == reflect.Slice {
		return "list of mappings"
	}
	return "mapping"
}
