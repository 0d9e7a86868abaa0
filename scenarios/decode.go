// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// decoder fills a scenario from YAML nodes, as its field descriptions say, and
// collects everything that does not fit.
type decoder struct {
	problems
	file   string
	origin map[*yaml.Node]string // nodes that came from a --set, and its text
}

func newDecoder(file string) *decoder {
	return &decoder{origin: map[*yaml.Node]string{}, file: file,
		problems: problems{where: places{"": {file: file, line: 1}}, unread: map[string]bool{}}}
}

// place returns where a node was given.
func (d *decoder) place(node *yaml.Node) place {
	if origin, ok := d.origin[node]; ok {
		return place{file: origin}
	}
	return place{file: d.file, line: node.Line}
}

// enter notes where path was given and reports whether node is of a kind that
// scenarios are written in.
func (d *decoder) enter(node *yaml.Node, path string) bool {
	d.where[path] = d.place(node)
	if node.Kind == yaml.AliasNode || node.Anchor != "" {
		d.fail(path, "found a YAML anchor or alias, expected plain values")
		return false
	}
	if !strings.HasPrefix(node.Tag, "!!") {
		d.fail(path, "found the YAML tag %q, expected plain values", shorten(node.Tag))
		return false
	}
	return true
}

// decode reads node into v, which holds what the field f describes.
func (d *decoder) decode(node *yaml.Node, v reflect.Value, f field, path string) {
	if !d.enter(node, path) {
		return
	}
	if p := partOf(v); p != nil {
		p.decode(d, node, path)
		return
	}
	switch {
	case isText(v.Type()):
		d.decodeScalar(node, v, f, path)
	case v.Kind() == reflect.Struct:
		slots := slotsOf(v)
		d.decodeFields(node, path, slots, func(key string) string { return d.unknown(key, path, slots) })
	case v.Kind() == reflect.Pointer:
		d.decodePointer(node, v, f, path)
	case v.Kind() == reflect.Slice:
		d.decodeList(node, v, path)
	case v.Kind() == reflect.Map:
		d.decodeMap(node, v, path)
	default:
		d.decodeScalar(node, v, f, path)
	}
}

// decodePointer reads an optional mapping; null is absent.
func (d *decoder) decodePointer(node *yaml.Node, v reflect.Value, f field, path string) {
	if node.Tag == "!!null" {
		return
	}
	v.Set(reflect.New(v.Type().Elem()))
	d.decode(node, v.Elem(), f, path)
}

func (d *decoder) decodeList(node *yaml.Node, v reflect.Value, path string) {
	if node.Kind != yaml.SequenceNode {
		d.fail(path, "found %s, expected a list", found(node))
		return
	}
	if len(node.Content) == 0 { // the same as none: it is not written out again
		v.SetZero()
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(node.Content), len(node.Content)))
	for i, item := range node.Content {
		d.decode(item, v.Index(i), field{}, fmt.Sprintf("%s[%d]", path, i))
	}
}

// decodeMap reads a map of names to whole numbers.
func (d *decoder) decodeMap(node *yaml.Node, v reflect.Value, path string) {
	if len(node.Content) == 0 && node.Kind == yaml.MappingNode {
		v.SetZero()
		return
	}
	v.Set(reflect.MakeMap(v.Type()))
	d.pairs(node, path, func(key string, value *yaml.Node) {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, item, field{min: "0"}, path+"."+key)
		v.SetMapIndex(reflect.ValueOf(key), item)
	})
}

// decodeFields reads a mapping into slots; those that it does not name get
// their defaults. unknown says what is wrong with a key that is none of
// theirs; if that is nothing, the key is passed over.
func (d *decoder) decodeFields(node *yaml.Node, path string, slots []slot, unknown func(key string) string) {
	for _, s := range slots {
		setDefault(s.value, s.field)
	}
	given := map[string]bool{}
	wasMapping := d.pairs(node, path, func(key string, value *yaml.Node) {
		full := join(path, key)
		at := slices.IndexFunc(slots, func(s slot) bool { return s.key == key })
		if at < 0 {
			d.where[full] = d.place(value)
			if text := unknown(key); text != "" {
				d.add(full, "%s", text)
			}
			return
		}
		given[key] = true
		d.decode(value, slots[at].value, slots[at].field, full)
	})
	for _, s := range slots {
		if full := join(path, s.key); wasMapping && s.required && !given[s.key] && d.read(full) {
			d.add(path, "found no %q, expected one: %s", s.key, s.doc)
			d.unread[full] = true
		}
	}
}

// unknown says what is wrong with a key that none of the fields has.
func (d *decoder) unknown(key, path string, slots []slot) string {
	var keys []string
	for _, s := range slots {
		keys = append(keys, s.key)
	}
	return fmt.Sprintf("unknown field %q, %s", key, d.expectedKey(key, path, keys))
}

// expectedKey says which key was probably meant. That field counts as one that
// could not be read.
func (d *decoder) expectedKey(key, path string, keys []string) string {
	text, meant := expectedKey(key, path, keys)
	if meant != "" {
		d.unread[meant] = true
	}
	return text
}

// pairs calls visit for each pair of a mapping, and reports whether node is one.
func (d *decoder) pairs(node *yaml.Node, path string, visit func(key string, value *yaml.Node)) bool {
	if node.Kind != yaml.MappingNode {
		d.fail(path, "found %s, expected a mapping of fields", found(node))
		return false
	}
	first := map[string]int{}
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], node.Content[i+1]
		if key.Kind != yaml.ScalarNode || key.Anchor != "" {
			d.where[join(path, "?")] = d.place(key)
			d.add(join(path, "?"), "found %s as a key, expected the name of a field", found(key))
			continue
		}
		if line, again := first[key.Value]; again {
			d.where[join(path, key.Value)] = d.place(key)
			d.fail(join(path, key.Value), "given twice, first on line %d, expected once", line)
			continue
		}
		first[key.Value] = key.Line
		visit(key.Value, value)
	}
	return true
}

// decodeScalar reads text, numbers and truth values, and checks their limits.
func (d *decoder) decodeScalar(node *yaml.Node, v reflect.Value, f field, path string) {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		d.fail(path, "found %s, expected %s", found(node), article(f, v))
		return
	}
	if err := readScalar(node, v); err != nil {
		d.fail(path, "%s", err)
		return
	}
	if err := f.allows(v); err != nil {
		d.fail(path, "%s", err)
	}
}

func readScalar(node *yaml.Node, v reflect.Value) error {
	if isText(v.Type()) {
		return parseText(v, node.Value)
	}
	switch v.Kind() {
	case reflect.String:
		if node.Tag != "!!str" {
			return fmt.Errorf("found %s, expected text (put it in quotes)", found(node))
		}
		v.SetString(node.Value)
	case reflect.Bool:
		if node.Value != "true" && node.Value != "false" || node.Tag != "!!bool" {
			return fmt.Errorf("found %s, expected true or false", found(node))
		}
		v.SetBool(node.Value == "true")
	case reflect.Int:
		number, err := strconv.ParseInt(node.Value, 10, 64)
		if err != nil || node.Tag != "!!int" {
			return fmt.Errorf("found %s, expected a whole number", found(node))
		}
		v.SetInt(number)
	case reflect.Float64:
		number, err := strconv.ParseFloat(node.Value, 64)
		if err != nil || node.Tag != "!!int" && node.Tag != "!!float" || number != number {
			return fmt.Errorf("found %s, expected a number", found(node))
		}
		v.SetFloat(number)
	}
	return nil
}

// allows checks the limits of a field.
func (f field) allows(v reflect.Value) error {
	if len(f.enum) > 0 && !slices.Contains(f.enum, v.String()) {
		return fmt.Errorf("found %q, expected %s%s", v.String(), oneOf(f.enum), didYouMean(v.String(), f.enum))
	}
	if f.min != "" && less(v, f.min) || f.max != "" && greater(v, f.max) {
		return fmt.Errorf("found %s, expected %s", display(v), f.limits())
	}
	return nil
}

func less(v reflect.Value, limit string) bool    { return number(v) < parseLimit(v, limit) }
func greater(v reflect.Value, limit string) bool { return number(v) > parseLimit(v, limit) }

// number returns v as a number that can be compared with a limit.
func number(v reflect.Value) float64 {
	if v.CanInt() {
		return float64(v.Int())
	}
	return v.Float()
}

func parseLimit(v reflect.Value, limit string) float64 {
	parsed := reflect.New(v.Type()).Elem()
	mustParse(parsed, limit)
	return number(parsed)
}

// setDefault puts a field's default into v.
func setDefault(v reflect.Value, f field) {
	if p := partOf(v); p != nil {
		p.fill()
		if f.fallback != "" {
			mustDecode(p, f.fallback)
		}
		return
	}
	switch {
	case f.fallback != "":
		mustParse(v, f.fallback)
	case v.Kind() == reflect.Struct && !isText(v.Type()):
		for _, inner := range fieldsOf(v.Type()) {
			setDefault(v.Field(inner.index), inner)
		}
	}
}

// mustParse reads a default or a limit from a tag. A wrong one is a mistake in
// this package, which its tests find.
func mustParse(v reflect.Value, text string) {
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: text}
	node.Tag = node.ShortTag()
	if err := readScalar(node, v); err != nil {
		panic(fmt.Sprintf("scenarios: tag %q of a %s: %v", text, v.Type(), err))
	}
}

// mustDecode reads the default of a part from a tag.
func mustDecode(p part, text string) {
	d := newDecoder("")
	node, err := parseYAML("", []byte(text))
	if err == nil {
		p.decode(d, node, "")
		err = d.err()
	}
	if err != nil {
		panic(fmt.Sprintf("scenarios: tag %q of a %T: %v", text, p, err))
	}
}

func join(path, key string) string {
	return strings.TrimPrefix(path+"."+key, ".")
}
