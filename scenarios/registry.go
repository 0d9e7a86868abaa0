// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// registry holds what other packages registered under a name. They do so from
// their init functions, so it is only read once a program runs.
type registry[T any] struct {
	what   string // for messages: 'kind of fault'
	byName map[string]T
}

// add panics on a name that is empty or taken: a mistake in the program.
func (r *registry[T]) add(name string, item T) {
	if _, taken := r.byName[name]; taken || name == "" {
		panic(fmt.Sprintf("scenarios: the %s %q is registered twice or has no name", r.what, name))
	}
	if r.byName == nil {
		r.byName = map[string]T{}
	}
	r.byName[name] = item
}

func (r *registry[T]) names() []string { return sortedKeys(r.byName) }

// all returns what is registered, in order of the names.
func (r *registry[T]) all() []T {
	items := make([]T, 0, len(r.byName))
	for _, name := range r.names() {
		items = append(items, r.byName[name])
	}
	return items
}

// fieldsIn returns the fields that a registered struct describes; zero is nil
// or a zero value of it. A wrong tag panics here, when the program starts, and
// not when the first file that uses the field is read.
func fieldsIn(zero any) []field {
	if zero == nil {
		return nil
	}
	fields := fieldsOf(reflect.TypeOf(zero))
	for _, f := range fields {
		v := reflect.New(f.typ).Elem()
		setDefault(v, f)
		for _, limit := range []string{f.min, f.max} {
			if limit != "" {
				parseLimit(v, limit)
			}
		}
	}
	return fields
}

// registeredReference lists the fields of a registered struct.
func registeredReference(zero any, prefix string) []Entry {
	var entries []Entry
	for _, f := range fieldsIn(zero) {
		entries = append(entries, f.entry(prefix+f.key))
	}
	return entries
}

// newFilled returns a pointer to a new struct of zero's type that holds the
// defaults; nil for nil.
func newFilled(zero any) any {
	if zero == nil {
		return nil
	}
	v := reflect.New(reflect.TypeOf(zero))
	for _, s := range slotsOf(v.Elem()) {
		setDefault(s.value, s.field)
	}
	return v.Interface()
}

// part is a portion of a scenario whose fields other packages register, so
// that the tags of no struct of this package describe them.
type part interface {
	decode(d *decoder, node *yaml.Node, path string)
	encode() *yaml.Node
	absent() bool // it is left out when written
	fill()        // with defaults
	schema() object
	reference(path string) []Entry
}

// partOf returns the part that v is, or nil.
func partOf(v reflect.Value) part {
	if !v.CanAddr() {
		return nil
	}
	p, _ := v.Addr().Interface().(part)
	return p
}
