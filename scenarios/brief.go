// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Brief writes the scenario as a person would: without the fields that have
// their defaults. Parse reads it back as an equal scenario.
func (s *Scenario) Brief() ([]byte, error) {
	root := s.briefNode()
	compact(root)
	if text := valueOf(root, "description"); text != nil {
		text.Style = yaml.FoldedStyle
	}
	return marshal(s.Name, root)
}

// Settings lists the paths of the fields that have another value than their
// default, in the order of the file: a mapping of fields is gone into, a list is
// one field.
func (s *Scenario) Settings() []string {
	var paths []string
	var visit func(node *yaml.Node, path string)
	visit = func(node *yaml.Node, path string) {
		for i := 0; i+1 < len(node.Content); i += 2 {
			full, value := join(path, node.Content[i].Value), node.Content[i+1]
			if value.Kind == yaml.MappingNode {
				visit(value, full)
			} else {
				paths = append(paths, full)
			}
		}
	}
	visit(s.briefNode(), "")
	return paths
}

// Without returns the scenario with the fields at the given paths, which are
// of Settings, at their defaults. The error is a Problems if there is no such
// scenario.
func (s *Scenario) Without(paths ...string) (*Scenario, error) {
	root := s.briefNode()
	var remove func(node *yaml.Node, path string)
	remove = func(node *yaml.Node, path string) {
		for i := 0; i+1 < len(node.Content); {
			full, value := join(path, node.Content[i].Value), node.Content[i+1]
			if slices.Contains(paths, full) {
				node.Content = slices.Delete(node.Content, i, i+2)
				continue
			}
			if value.Kind == yaml.MappingNode {
				remove(value, full)
			}
			i += 2
		}
	}
	remove(root, "")
	text, err := marshal(s.Name, root)
	if err != nil {
		return nil, err
	}
	return Parse(s.Name, text)
}

// briefNode is the scenario without the fields that have their defaults.
func (s *Scenario) briefNode() *yaml.Node {
	plain := &Scenario{}
	for _, slot := range slotsOf(reflect.ValueOf(plain).Elem()) {
		setDefault(slot.value, slot.field)
	}
	root := encode(reflect.ValueOf(s).Elem())
	prune(root, encode(reflect.ValueOf(plain).Elem()))
	return root
}

// prune removes from a mapping what it has in common with another one.
func prune(node, common *yaml.Node) {
	for i := 0; i+1 < len(node.Content); {
		value, same := node.Content[i+1], valueOf(common, node.Content[i].Value)
		if same != nil && value.Kind == yaml.MappingNode && same.Kind == yaml.MappingNode {
			prune(value, same)
		}
		if same != nil && (equalNodes(value, same) || value.Kind == yaml.MappingNode && len(value.Content) == 0) {
			node.Content = slices.Delete(node.Content, i, i+2)
			continue
		}
		i += 2
	}
}

func equalNodes(a, b *yaml.Node) bool {
	return a.Kind == b.Kind && a.Value == b.Value && slices.EqualFunc(a.Content, b.Content, equalNodes)
}

// valueOf returns the value of a key of a mapping; nil if there is none.
func valueOf(node *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1]
		}
	}
	return nil
}

// compact writes the innermost mappings on one line each. It reports whether
// the node itself has neither a mapping nor a list in it.
func compact(node *yaml.Node) (plain bool) {
	plain = true
	for _, child := range node.Content {
		inner := compact(child)
		if child.Kind == yaml.MappingNode && inner {
			child.Style = yaml.FlowStyle
		}
		plain = plain && (child.Kind == yaml.ScalarNode || child.Style == yaml.FlowStyle && child.Kind == yaml.SequenceNode)
	}
	return plain
}
