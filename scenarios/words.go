// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// found describes a node in an error.
func found(node *yaml.Node) string {
	switch node.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	case yaml.AliasNode:
		return "an alias"
	}
	if node.Tag == "!!null" {
		return "nothing"
	}
	return fmt.Sprintf("%q", shorten(node.Value))
}

// shorten keeps error messages readable whatever the input.
func shorten(text string) string {
	const limit = 60
	if len(text) <= limit {
		return text
	}
	return text[:limit] + "…"
}

// article describes in an error what a scalar field expects.
func article(f field, v reflect.Value) string {
	if len(f.enum) > 0 {
		return oneOf(f.enum)
	}
	name := typeNames[v.Type()]
	if name == "text" || name == "true or false" {
		return name
	}
	return "a " + name
}

// display shows a value as it is written in YAML.
func display(v reflect.Value) string {
	if isText(v.Type()) {
		return formatText(v)
	}
	return fmt.Sprint(v.Interface())
}

// oneOf lists alternatives. There are none where nothing is registered.
func oneOf(names []string) string {
	if len(names) == 0 {
		return "nothing, for this program knows none"
	}
	if len(names) == 1 {
		return names[0]
	}
	last := len(names) - 1
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// expectedKey says which keys a mapping takes, nearest first, and returns the
// path of the field that was probably meant, if there is one.
func expectedKey(key, path string, keys []string) (text, meant string) {
	if near := nearest(key, keys); near != "" {
		return fmt.Sprintf("did you mean %q?", near), join(path, near)
	}
	for _, entry := range Reference() {
		if section, last := cutLast(entry.Path); last == key && section != path {
			return fmt.Sprintf("did you mean %s?", entry.Path), entry.Path
		}
	}
	return "expected " + oneOf(keys), ""
}

func cutLast(path string) (section, last string) {
	at := strings.LastIndexByte(path, '.')
	return path[:max(at, 0)], path[at+1:]
}

// didYouMean suggests the nearest name, if one is near.
func didYouMean(name string, names []string) string {
	if near := nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}

// nearest returns the name within a few typing errors of what was typed.
func nearest(typed string, names []string) string {
	best, bestDistance := "", 1+min(3, len(typed)/2)
	normal := normalize(typed)
	for _, name := range names {
		if distance := editDistance(normal, normalize(name), bestDistance); distance < bestDistance {
			best, bestDistance = name, distance
		}
	}
	return best
}

func normalize(name string) string {
	return strings.NewReplacer("-", "", "_", "", " ", "").Replace(strings.ToLower(name))
}

// editDistance counts the single-letter insertions, deletions and
// substitutions from a to b (Levenshtein), giving up at limit.
func editDistance(a, b string, limit int) int {
	if diff := len(a) - len(b); diff >= limit || -diff >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
		if slices.Min(row) >= limit {
			return limit
		}
	}
	return row[len(b)]
}
