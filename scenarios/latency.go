// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"reflect"

	"go.yaml.in/yaml/v3"
)

// Latency says how long something takes: never less than Min, in half of the
// cases at most Median, in 99 of 100 at most P99. With all three equal it always
// takes that long; the zero value is no time at all.
//
// In a file it is a mapping of the three, or one duration for all of them, or 0.
// What a mapping leaves out is as in the field's default.
type Latency struct {
	Min    Duration `key:"min" max:"10m" doc:"It never takes less."`
	Median Duration `key:"median" max:"10m" doc:"Half of the times are shorter."`
	P99    Duration `key:"p99" max:"10m" doc:"One time in a hundred is longer; none is longer than ten times this."`
}

// IsZero reports whether no time passes.
func (l Latency) IsZero() bool { return l == Latency{} }

// String returns the text that reads back as l.
func (l Latency) String() string {
	switch {
	case l.IsZero():
		return "0"
	case l.Min == l.P99:
		return l.Min.String()
	}
	return "{min: " + l.Min.String() + ", median: " + l.Median.String() + ", p99: " + l.P99.String() + "}"
}

// fill implements part: without a default no time passes.
func (l *Latency) fill() { *l = Latency{} }

func (l *Latency) decode(d *decoder, node *yaml.Node, path string) {
	if node.Kind == yaml.ScalarNode {
		l.decodeOne(d, node, path)
		return
	}
	slots := slotsOf(reflect.ValueOf(l).Elem())
	d.decodeFields(node, path, slots, func(key string) string { return d.unknown(key, path, slots) })
	if d.read(path) && !(l.Min == l.P99 && l.Median == l.P99 || l.Min < l.Median && l.Median <= l.P99) {
		d.fail(path, "found %s, expected a median that is longer than min and no longer than p99, or all three equal", *l)
	}
}

// decodeOne reads one duration for all three.
func (l *Latency) decodeOne(d *decoder, node *yaml.Node, path string) {
	if node.Value == "0" {
		*l = Latency{}
		return
	}
	var all Duration
	min := fieldsOf(reflect.TypeFor[Latency]())[0]
	err := all.UnmarshalText([]byte(node.Value))
	if err == nil {
		err = min.allows(reflect.ValueOf(all))
	}
	if err != nil {
		d.fail(path, "%s, or 0, or a mapping of min, median and p99", err)
		return
	}
	*l = Latency{all, all, all}
}

func (l *Latency) encode() *yaml.Node {
	if l.Min == l.P99 {
		return scalar(l.String())
	}
	node := encodeFields(slotsOf(reflect.ValueOf(l).Elem()))
	node.Style = yaml.FlowStyle
	return node
}

func (l *Latency) absent() bool { return false }

func (l *Latency) schema() object {
	return object{"oneOf": []object{
		{"const": 0},
		{"type": "string", "pattern": "^(" + durationForm + ")$"},
		structSchema(reflect.TypeFor[Latency]()),
	}}
}

// reference implements part: the documentation describes the form once.
func (l *Latency) reference(string) []Entry { return nil }
