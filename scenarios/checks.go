// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"reflect"

	"go.yaml.in/yaml/v3"
)

// CheckKind is what a scenario file may say of a check, below checks and its
// key. Every check has the setting 'enabled', true by default.
type CheckKind struct {
	Key, Doc string
	// Settings is a zero value of the struct with the settings that it has
	// besides; nil: none. Its fields have the tags that are described at
	// Scenario; a time.Duration is written like a Duration.
	Settings any
	// NeverViolates says that the check is inconclusive at worst.
	NeverViolates bool
}

var checkKinds = registry[CheckKind]{what: "check"}

// RegisterCheck makes a check known to scenario files. It is called from an
// init function, and panics on a key given twice or a wrong tag.
func RegisterCheck(k CheckKind) {
	for _, f := range fieldsIn(k.Settings) {
		if f.key == "enabled" {
			panic(fmt.Sprintf("scenarios: the setting %q of check %q is one of every check", f.key, k.Key))
		}
	}
	checkKinds.add(k.Key, k)
}

// CheckKinds returns the registered checks, in order of their keys.
func CheckKinds() []CheckKind { return checkKinds.all() }

// CheckKindOf returns the registered check with that key.
func CheckKindOf(key string) (CheckKind, bool) {
	k, ok := checkKinds.byName[key]
	return k, ok
}

// SettingReference lists the settings of the check itself.
func (k CheckKind) SettingReference() []Entry { return registeredReference(k.Settings, "") }

// Checks says what is judged, and how. The zero value is every check with its
// defaults.
type Checks struct {
	byKey map[string]*check
}

// check is what a scenario says of one check.
type check struct {
	Enabled  bool `key:"enabled" default:"true" doc:"Whether it is judged."`
	Settings any  // pointer to a filled struct of the registered type, or nil
}

func newCheck(k CheckKind) *check { return &check{Enabled: true, Settings: newFilled(k.Settings)} }

func (c *check) slots() []slot {
	all := slotsOf(reflect.ValueOf(c).Elem())
	if c.Settings != nil {
		all = append(all, slotsOf(reflect.ValueOf(c.Settings).Elem())...)
	}
	return all
}

// Enabled reports whether the check is judged. It panics for a key that nobody
// registered.
func (c Checks) Enabled(key string) bool { return c.of(key).Enabled }

// Disable has the check judged no more. It panics for a key that nobody registered.
func (c Checks) Disable(key string) { c.of(key).Enabled = false }

// Settings returns a pointer to the filled settings of a check, of the type that
// it registered; nil if it has none. It panics for a key that nobody registered.
func (c Checks) Settings(key string) any { return c.of(key).Settings }

func (c Checks) of(key string) *check {
	kind, ok := checkKinds.byName[key]
	if !ok {
		panic(fmt.Sprintf("scenarios: the check %q is not registered", key))
	}
	if of := c.byKey[key]; of != nil {
		return of
	}
	return newCheck(kind)
}

// fill implements part.
func (c *Checks) fill() {
	c.byKey = map[string]*check{}
	for _, kind := range CheckKinds() {
		c.byKey[kind.Key] = newCheck(kind)
	}
}

func (c *Checks) decode(d *decoder, node *yaml.Node, path string) {
	c.fill()
	d.pairs(node, path, func(key string, value *yaml.Node) {
		full := join(path, key)
		of := c.byKey[key]
		if of == nil {
			d.where[full] = d.place(value)
			d.add(full, "unknown field %q, %s", key, d.expectedKey(key, path, checkKinds.names()))
			return
		}
		if d.enter(value, full) {
			slots := of.slots()
			d.decodeFields(value, full, slots, func(key string) string { return d.unknown(key, full, slots) })
		}
	})
}

func (c *Checks) encode() *yaml.Node {
	node := &yaml.Node{Kind: yaml.MappingNode}
	for _, key := range sortedKeys(c.byKey) {
		node.Content = append(node.Content, scalar(key), encodeFields(c.byKey[key].slots()))
	}
	return node
}

func (c *Checks) absent() bool { return len(c.byKey) == 0 }

func (c *Checks) schema() object {
	properties := object{}
	for _, kind := range CheckKinds() {
		schema := structSchema(reflect.TypeFor[check]())
		for _, f := range fieldsIn(kind.Settings) {
			schema["properties"].(object)[f.key] = f.schema()
		}
		schema["description"] = kind.Doc
		properties[kind.Key] = schema
	}
	return object{"type": "object", "additionalProperties": false, "properties": properties}
}

func (c *Checks) reference(path string) []Entry {
	var entries []Entry
	for _, kind := range CheckKinds() {
		of := path + "." + kind.Key
		entries = append(entries, Entry{Path: of, Type: "mapping", Doc: kind.Doc})
		entries = append(entries, reference(reflect.TypeFor[check](), of+".")...)
		entries = append(entries, registeredReference(kind.Settings, of+".")...)
	}
	return entries
}
