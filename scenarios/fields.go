// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"encoding"
	"reflect"
	"strings"
	"sync"
	"time"
)

// field is one field of a struct of a scenario, as its tags describe it.
type field struct {
	key      string
	doc      string
	fallback string // the default, in the field's YAML form; empty: none
	min, max string
	enum     []string
	swarm    string // how a swarm draws it
	option   bool   // it is one of Dragonboat's
	required bool
	optional bool
	index    int
	typ      reflect.Type
}

// described keeps the fields of types: a scenario may have thousands of
// operations.
var described sync.Map // of []field, by reflect.Type

// fieldsOf reads the descriptions of all fields of a struct type that have a
// key, in their order. The result is not to be changed.
func fieldsOf(t reflect.Type) []field {
	if known, ok := described.Load(t); ok {
		return known.([]field)
	}
	fields, fixed := describe(t)
	if fixed {
		described.Store(t, fields)
	}
	return fields
}

// describe does so; fixed says that no later registration changes the result.
func describe(t reflect.Type) (fields []field, fixed bool) {
	fixed = true
	for i := range t.NumField() {
		goField := t.Field(i)
		tag := goField.Tag
		if tag.Get("key") == "" { // no field of a file
			continue
		}
		f := field{
			key: tag.Get("key"), doc: tag.Get("doc"), fallback: tag.Get("default"),
			min: tag.Get("min"), max: tag.Get("max"), swarm: tag.Get("swarm"), option: tag.Get("option") == "true",
			required: tag.Get("required") == "true", optional: tag.Get("optional") == "true",
			index: i, typ: goField.Type,
		}
		if f.min == "" && isNumber(f.typ) {
			f.min = "0"
		}
		if enum := tag.Get("enum"); enum != "" {
			f.enum = strings.Split(enum, "|")
		}
		if tag.Get("enumOf") == "bugs" {
			f.enum, fixed = bugKinds.names(), false
		}
		if tag.Get("enumOf") == "moments" {
			for _, m := range MomentKinds() {
				f.enum = append(f.enum, m.Name)
			}
		}
		fields = append(fields, f)
	}
	return fields, fixed
}

// slot is a field of a struct, and where its value is.
type slot struct {
	field
	value reflect.Value
}

// slotsOf returns the slots of a struct that can be set.
func slotsOf(v reflect.Value) []slot {
	var slots []slot
	for _, f := range fieldsOf(v.Type()) {
		slots = append(slots, slot{f, v.Field(f.index)})
	}
	return slots
}

// keysOf returns the keys of the fields.
func keysOf(fields []field) []string {
	keys := make([]string, len(fields))
	for i, f := range fields {
		keys[i] = f.key
	}
	return keys
}

var (
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	plainDuration   = reflect.TypeFor[time.Duration]()
)

// isText reports whether values of type t are read from text. A time.Duration
// is, in the form of a Duration.
func isText(t reflect.Type) bool {
	return t == plainDuration || reflect.PointerTo(t).Implements(textUnmarshaler)
}

// parseText reads text into v, whose type must be isText.
func parseText(v reflect.Value, text string) error {
	if d, ok := v.Addr().Interface().(*time.Duration); ok {
		return (*Duration)(d).UnmarshalText([]byte(text))
	}
	return v.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(text))
}

// formatText is the inverse of parseText.
func formatText(v reflect.Value) string {
	if v.Type() == plainDuration {
		return Duration(v.Int()).String()
	}
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
		entries = append(entries, f.entry(path))
		inner := elem(f.typ)
		if p, ok := reflect.New(inner).Interface().(part); ok {
			if f.typ.Kind() == reflect.Slice && inner != f.typ {
				path += "[]"
			}
			entries = append(entries, p.reference(path)...)
			continue
		}
		switch {
		case inner.Kind() != reflect.Struct || isText(inner):
		case f.typ.Kind() == reflect.Slice:
			entries = append(entries, reference(inner, path+"[].")...)
		default:
			entries = append(entries, reference(inner, path+".")...)
		}
	}
	return entries
}

func (f field) entry(path string) Entry {
	return Entry{Path: path, Type: typeName(f), Default: f.defaultText(), Limits: f.limits(), Doc: f.doc}
}

// elem strips one pointer or slice off t.
func elem(t reflect.Type) reflect.Type {
	if t == reflect.TypeFor[Expectations]() || t == reflect.TypeFor[Faults]() {
		return t
	}
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
	plainDuration:                     "duration",
	reflect.TypeFor[Expectations]():   "mapping",
	reflect.TypeFor[Range]():          "duration or range",
	reflect.TypeFor[Latency]():        "latency",
	reflect.TypeFor[Percent]():        "percent",
	reflect.TypeFor[Percents]():       "percent or range",
	reflect.TypeFor[Counts]():         "whole number or range",
	reflect.TypeFor[Faults]():         "list of faults",
	reflect.TypeFor[[]Target]():       "list of targets",
	reflect.TypeFor[Target]():         "target",
	reflect.TypeFor[Key]():            "key of a cluster",
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
