// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Marshal writes the resolved scenario as YAML, every default filled in. Parse
// reads it back as an equal scenario.
func (s *Scenario) Marshal() ([]byte, error) {
	return marshal(s.Name, encode(reflect.ValueOf(s).Elem()))
}

// marshal writes the top node of a scenario.
func marshal(name string, root *yaml.Node) ([]byte, error) {
	var out bytes.Buffer
	encoder := yaml.NewEncoder(&out)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(root), encoder.Close()); err != nil {
		return nil, fmt.Errorf("cannot write scenario %s: %w", name, err)
	}
	return out.Bytes(), nil
}

// encode returns v as YAML, without absent optional fields.
func encode(v reflect.Value) *yaml.Node {
	if p := partOf(v); p != nil {
		return p.encode()
	}
	switch {
	case isText(v.Type()):
		return scalar(formatText(v))
	case v.Kind() == reflect.Pointer:
		return encode(v.Elem())
	case v.Kind() == reflect.Struct:
		return encodeFields(slotsOf(v))
	case v.Kind() == reflect.Slice:
		return encodeList(v)
	case v.Kind() == reflect.Map:
		return encodeMap(v)
	case v.Kind() == reflect.String:
		node := &yaml.Node{}
		node.SetString(v.String())
		return node
	}
	return scalar(fmt.Sprint(v.Interface()))
}

func encodeFields(slots []slot) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, s := range slots {
		if !isAbsent(s.value, s.field) {
			node.Content = append(node.Content, scalar(s.key), encode(s.value))
		}
	}
	return node
}

// isAbsent reports whether a field is left out when written.
func isAbsent(v reflect.Value, f field) bool {
	if p := partOf(v); p != nil {
		return p.absent()
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return v.IsZero() || v.Kind() != reflect.Pointer && v.Len() == 0
	}
	return f.optional && v.IsZero()
}

func encodeList(v reflect.Value) *yaml.Node {
	node := &yaml.Node{Kind: yaml.SequenceNode}
	if isText(v.Type().Elem()) || v.Type().Elem().Kind() == reflect.String {
		node.Style = yaml.FlowStyle
	}
	for i := range v.Len() {
		node.Content = append(node.Content, encode(v.Index(i)))
	}
	return node
}

func encodeMap(v reflect.Value) *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode, Style: yaml.FlowStyle}
	for _, key := range sortedKeys(v.Interface().(map[string]int)) {
		value := v.MapIndex(reflect.ValueOf(key))
		name := &yaml.Node{}
		name.SetString(key)
		node.Content = append(node.Content, name, encode(value))
	}
	return node
}

func scalar(text string) *yaml.Node {
	return &yaml.Node{Kind: yaml.ScalarNode, Value: text}
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for key := range m {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	return keys
}
