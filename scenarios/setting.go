// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Setting overrides one field of a scenario: --set path=value. The value is
// YAML, such as 5, 10m, [1m, 2m] or {kind: kill, target: drummer, count: 1}.
// A path names fields with dots and list elements with their number:
// clusters.size, faults[0].every. The number just after the last element
// adds one; faults=[] removes all.
type Setting struct {
	Path, Value string
}

// ParseSetting splits the text 'path=value'.
func ParseSetting(text string) (Setting, error) {
	path, value, ok := strings.Cut(text, "=")
	if !ok || path == "" {
		return Setting{}, fmt.Errorf("--set %s: expected path=value, such as clusters.size=5", text)
	}
	return Setting{Path: path, Value: value}, nil
}

var stepPattern = regexp.MustCompile(`^([^.\[\]]+)((?:\[\d{1,6}\])*)(?:\.|$)`)

// step is a key of a mapping, or the number of a list element.
type step struct {
	key    string
	number int // -1: a key
}

// steps splits a path.
func steps(path string) ([]step, bool) {
	var all []step
	for rest := path; rest != ""; {
		parts := stepPattern.FindStringSubmatch(rest)
		if parts == nil || len(parts[0]) == len(rest) && strings.HasSuffix(rest, ".") {
			return nil, false
		}
		all = append(all, step{key: parts[1], number: -1})
		for _, digits := range strings.FieldsFunc(parts[2], func(r rune) bool { return r == '[' || r == ']' }) {
			number, err := strconv.Atoi(digits)
			if err != nil {
				return nil, false
			}
			all = append(all, step{number: number})
		}
		rest = rest[len(parts[0]):]
	}
	return all, len(all) > 0
}

// apply puts a setting's value into the tree, where decode then finds it as if
// the file had said so.
func (d *decoder) apply(root *yaml.Node, setting Setting) {
	origin := "--set " + setting.Path + "=" + setting.Value
	fail := func(format string, args ...any) {
		d.found = append(d.found, Problem{File: origin, Text: fmt.Sprintf(format, args...)})
	}
	path, ok := steps(setting.Path)
	if !ok {
		fail("found the path %q, expected one such as clusters.size or faults[0].every", setting.Path)
		return
	}
	value, err := parseYAML(origin, []byte(setting.Value+"\n"))
	if err != nil {
		fail("found %q, expected a value in YAML", shorten(setting.Value))
		return
	}
	node := root
	for i, s := range path {
		if node, ok = d.descend(node, s, origin); !ok {
			fail("found no %s to set it in", formatSteps(path[:i+1]))
			return
		}
	}
	*node = *value
	d.mark(node, origin)
}

// mark records that a node and all in it came from origin.
func (d *decoder) mark(node *yaml.Node, origin string) {
	d.origin[node] = origin
	for _, child := range node.Content {
		d.mark(child, origin)
	}
}

// descend returns the child of node that s names, added when it is missing.
func (d *decoder) descend(node *yaml.Node, s step, origin string) (*yaml.Node, bool) {
	if node.Kind == 0 || node.Tag == "!!null" {
		*node = yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Line: node.Line}
		if s.number >= 0 {
			node.Kind, node.Tag = yaml.SequenceNode, "!!seq"
		}
	}
	fresh := &yaml.Node{}
	d.origin[fresh] = origin
	if s.number >= 0 {
		if node.Kind != yaml.SequenceNode || s.number > len(node.Content) {
			return nil, false
		}
		if s.number == len(node.Content) {
			node.Content = append(node.Content, fresh)
		}
		return node.Content[s.number], true
	}
	if node.Kind != yaml.MappingNode {
		return nil, false
	}
	for i := 0; i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == s.key {
			return node.Content[i+1], true
		}
	}
	key := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s.key}
	d.origin[key] = origin
	node.Content = append(node.Content, key, fresh)
	return fresh, true
}

func formatSteps(path []step) string {
	var text strings.Builder
	for _, s := range path {
		switch {
		case s.number >= 0:
			fmt.Fprintf(&text, "[%d]", s.number)
		case text.Len() > 0:
			text.WriteString("." + s.key)
		default:
			text.WriteString(s.key)
		}
	}
	return text.String()
}
