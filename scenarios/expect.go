// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Unit is what a measure is measured in.
type Unit int

// The units.
const (
	Count   Unit = iota // a number
	Time                // a length of time, in nanoseconds
	NameSet             // a set of names
)

// Measure is something about a run that expect may assert.
type Measure struct {
	Key, Doc string
	Unit     Unit
	// Names returns the names that are valid for a measure of unit NameSet; nil:
	// any. It is called when a file is read, not before.
	Names func() []string
	// Validate says what about an assertion of it contradicts the scenario;
	// empty: nothing. May be nil.
	Validate func(s *Scenario, e Expectation) string
}

var measures = registry[Measure]{what: "measure"}

// RegisterMeasure makes a measure known to scenario files. It is called from an
// init function, and panics on a key given twice.
func RegisterMeasure(m Measure) { measures.add(m.Key, m) }

// Measures returns the registered measures, in order of their keys.
func Measures() []Measure { return measures.all() }

// Form describes what expect may say of a measure.
func (m Measure) Form() string {
	switch m.Unit {
	case Count:
		return "a whole number such as 0 or '>= 1', or none"
	case Time:
		return "a duration such as '< 40s', or none"
	}
	if names := m.names(); len(names) > 0 {
		return "one or a list of " + oneOf(names)
	}
	return "a name or a list of names"
}

func (m Measure) names() []string {
	if m.Names == nil {
		return nil
	}
	return m.Names()
}

// Expectation is one assertion about a run.
type Expectation struct {
	Measure string
	Op      string   // =, <, <=, > or >=; empty for NameSet
	Number  float64  // Count: the number; Time: nanoseconds
	Names   []string // NameSet: all of these
	Line    int      // in the file; 0 when it came from a setting
}

// String returns the text that reads back as e's value, without its measure.
func (e Expectation) String() string {
	m := measures.byName[e.Measure]
	text := strings.Join(e.Names, ", ")
	switch m.Unit {
	case Count:
		text = strconv.FormatFloat(e.Number, 'f', -1, 64)
	case Time:
		text = Duration(e.Number).String()
	}
	switch {
	case m.Unit == Time && e.Op == "=" && e.Number == 0:
		return "none"
	case e.Op == "=" || m.Unit == NameSet:
		return text
	}
	return e.Op + " " + text
}

// Expectations are the assertions of a scenario, in the order of the file.
type Expectations []Expectation

func (all *Expectations) decode(d *decoder, node *yaml.Node, path string) {
	*all = nil
	d.pairs(node, path, func(key string, value *yaml.Node) {
		full := join(path, key)
		d.where[full] = d.place(value)
		m, ok := measures.byName[key]
		if !ok {
			d.add(full, "unknown measure %q, %s", key, d.expectedKey(key, path, measures.names()))
			return
		}
		if !d.enter(value, full) {
			return
		}
		e, err := m.parse(value)
		if err != nil {
			d.fail(full, "%s", err)
			return
		}
		e.Line = d.place(value).line
		*all = append(*all, e)
	})
}

// comparison splits an assertion into its operator and the rest.
var comparison = regexp.MustCompile(`^(<=|>=|<|>|=)?\s*(\S.*)$`)

// parse reads what a file says of a measure.
func (m Measure) parse(node *yaml.Node) (Expectation, error) {
	if m.Unit == NameSet {
		return m.parseNames(node)
	}
	refused := fmt.Errorf("found %s, expected %s", found(node), m.Form())
	parts := comparison.FindStringSubmatch(node.Value)
	if node.Kind != yaml.ScalarNode || parts == nil {
		return Expectation{}, refused
	}
	e := Expectation{Measure: m.Key, Op: parts[1]}
	if e.Op == "" {
		e.Op = "="
	}
	if node.Value == "none" {
		return e, nil
	}
	var err error
	if m.Unit == Count {
		if !countPattern.MatchString(parts[2]) {
			return Expectation{}, refused
		}
		e.Number, err = strconv.ParseFloat(parts[2], 64)
	} else {
		var d Duration
		err = d.UnmarshalText([]byte(parts[2]))
		e.Number = float64(d)
	}
	// Beyond this, a float64 does not hold every whole number.
	const most = 1 << 53
	if err != nil || !(e.Number >= 0 && e.Number <= most) {
		return Expectation{}, refused
	}
	switch {
	case e.Number != 0:
	case e.Op == "<":
		return Expectation{}, fmt.Errorf("found %s, which never holds: nothing is less than 0", found(node))
	case e.Op == ">=":
		return Expectation{}, fmt.Errorf("found %s, which always holds", found(node))
	}
	return e, nil
}

func (m Measure) parseNames(node *yaml.Node) (Expectation, error) {
	e := Expectation{Measure: m.Key}
	items := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		items = node.Content
	}
	for _, item := range items {
		if item.Kind != yaml.ScalarNode || item.Tag != "!!str" || item.Anchor != "" || item.Value == "" {
			return e, fmt.Errorf("found %s, expected %s", found(item), m.Form())
		}
		if valid := m.names(); len(valid) > 0 && !slices.Contains(valid, item.Value) {
			return e, fmt.Errorf("found %s, expected %s%s", found(item), m.Form(), didYouMean(item.Value, valid))
		}
		e.Names = append(e.Names, item.Value)
	}
	if len(e.Names) == 0 {
		return e, fmt.Errorf("found an empty list, expected %s", m.Form())
	}
	return e, nil
}

func (all *Expectations) encode() *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, e := range *all {
		value := scalar(e.String())
		if measures.byName[e.Measure].Unit == NameSet {
			value = nameList(e.Names)
		}
		node.Content = append(node.Content, scalar(e.Measure), value)
	}
	return node
}

// nameList writes one name as it is and several as a list.
func nameList(names []string) *yaml.Node {
	list := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, name := range names {
		item := &yaml.Node{}
		item.SetString(name)
		list.Content = append(list.Content, item)
	}
	if len(names) == 1 {
		return list.Content[0]
	}
	return list
}

func (all *Expectations) absent() bool { return len(*all) == 0 }
func (all *Expectations) fill()        {}

func (all *Expectations) schema() object {
	properties := object{}
	for _, m := range Measures() {
		schema := m.schema()
		schema["description"] = m.Doc
		properties[m.Key] = schema
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties}
}

func (m Measure) schema() object {
	compared := func(form string) object {
		return object{"type": "string", "pattern": `^(none|(<=|>=|<|>|=)?\s*` + form + `)$`}
	}
	switch m.Unit {
	case Count:
		return object{"anyOf": []object{{"type": "integer", "minimum": 0}, compared(countForm)}}
	case Time:
		return compared(durationForm)
	}
	name := object{"type": "string", "minLength": 1}
	if names := m.names(); len(names) > 0 {
		name["enum"] = names
	}
	return object{"anyOf": []object{name, {"type": "array", "minItems": 1, "items": name}}}
}

func (all *Expectations) reference(path string) []Entry {
	var entries []Entry
	for _, m := range Measures() {
		entries = append(entries, Entry{Path: path + "." + m.Key, Type: "assertion", Limits: m.Form(), Doc: m.Doc})
	}
	return entries
}

// unquoted finds '> 1' and '>= 1' where YAML takes the > for the beginning of
// a folded text, and no such text can begin.
var unquoted = regexp.MustCompile(`(\A|:[ \t]+)(>=[ \t]*[0-9][0-9A-Za-zµ.]*|>[ \t]+[0-9][0-9A-Za-zµ.]*)`)

// quoteComparisons puts quotes around what unquoted finds.
func quoteComparisons(source []byte) []byte { return unquoted.ReplaceAll(source, []byte(`$1"$2"`)) }
