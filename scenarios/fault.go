// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"

	"go.yaml.in/yaml/v3"
)

// Capability is something that a world can do to its hosts. A world states
// its capabilities, and a scenario that needs another one is refused.
type Capability string

// The capabilities that faults need.
const (
	CanKill      Capability = "kill"       // end a host's processes at once, and start them again
	CanPowerLoss Capability = "power-loss" // lose what was not synced to disk
	CanWipe      Capability = "wipe"       // lose the disk
	CanCut       Capability = "cut"        // drop all messages between two hosts, by direction
	CanLose      Capability = "lose"       // drop some of them
	CanDuplicate Capability = "duplicate"  // deliver some of them twice
	CanDelay     Capability = "delay"      // hold messages back

	CanStaleChange Capability = "stale-change" // ask for membership changes that are out of date
)

// FaultClass says what a kind of fault breaks. A swarm leaves out whole classes.
type FaultClass string

// The classes of faults.
const (
	OfNetwork FaultClass = "network"
	OfDisk    FaultClass = "disk"
	OfProcess FaultClass = "process"
	OfTime    FaultClass = "time"
	OfFleet   FaultClass = "fleet" // membership, leadership, what an operator does
)

// FaultKind is what a scenario file may say of a kind of fault.
type FaultKind struct {
	Name, Doc string
	Class     FaultClass
	Needs     Capability
	// Down: the host is down while it lasts.
	Down bool
	// Forever: it may last permanently.
	Forever bool
	// LosesDisk: what the host held is lost, and so are its members, for good.
	LosesDisk bool
	// Parameters is a zero value of the struct with the parameters that it takes
	// besides those of every fault; nil: none. Its fields have the tags that are
	// described at Scenario. In YAML they stand beside kind and target.
	Parameters any
	// Validate reports mistakes that depend on several fields; key names the
	// field that is wrong. f's target and parameters could be read, other fields of f and s
	// may not: they have their defaults then. It may be nil.
	Validate func(s *Scenario, f *Fault, report func(key, format string, args ...any))
	// Draw draws what a swarm says of a fault of the kind: its kind, target, length
	// and parameters. It depends on rng only, and costs no quorum that the injector
	// would not spare. When it strikes, and how often, is the swarm's to say. It is
	// nil for a kind that a swarm never draws.
	Draw func(rng *rand.Rand) Fault
}

var faultKinds = registry[FaultKind]{what: "kind of fault"}

// RegisterFault makes a kind of fault known to scenario files. It is called
// from an init function, and panics on a name given twice or a wrong tag.
func RegisterFault(k FaultKind) {
	for _, f := range fieldsIn(k.Parameters) {
		if slices.Contains(keysOf(fieldsOf(faultType)), f.key) {
			panic(fmt.Sprintf("scenarios: the parameter %q of the kind of fault %q is one of every fault", f.key, k.Name))
		}
	}
	faultKinds.add(k.Name, k)
}

// FaultKinds returns the registered kinds of fault, in order of their names.
func FaultKinds() []FaultKind { return faultKinds.all() }

// FaultKindOf returns the kind of that name.
func FaultKindOf(name string) (FaultKind, bool) {
	k, ok := faultKinds.byName[name]
	return k, ok
}

// NewParameters returns a pointer to new parameters of the kind that hold their
// defaults; nil if it takes none.
func (k FaultKind) NewParameters() any { return newFilled(k.Parameters) }

// ParameterReference lists the parameters of the kind itself.
func (k FaultKind) ParameterReference() []Entry { return registeredReference(k.Parameters, "") }

// Fault is one entry of the list of faults: what is done, to whom, when, and for
// how long. Exactly one of Every, Count and At is set.
type Fault struct {
	Kind   string `key:"kind" required:"true" doc:"What is done; see the table of kinds."`
	Target Target `key:"target" required:"true" doc:"To whom: nodehost, drummer (any of them, drawn), nodehost-3, drummer-1 (that one), drummer-leader, cluster-leader (the NodeHost that leads a drawn cluster), joining (a NodeHost on which a new member is catching up)."`

	Every Duration   `key:"every" optional:"true" min:"100ms" doc:"Mean interval between two starts; each is drawn between half and one and a half of it."`
	Count int        `key:"count" optional:"true" min:"1" max:"100000" doc:"Exactly this many, at drawn times."`
	At    []Duration `key:"at" doc:"Exactly at these offsets into the phase with faults. Faults given one instant strike together."`

	For     Range `key:"for" optional:"true" doc:"How long it lasts, drawn from the range, such as 10s..40s."`
	Forever bool  `key:"forever" optional:"true" doc:"It never ends: the host stays dead and its nodes must be replaced."`

	After  Duration `key:"after" optional:"true" doc:"No start before this offset into the phase with faults."`
	Before Duration `key:"before" optional:"true" min:"1s" doc:"No start after this offset. Absent, or later: the end of the phase."`

	AtLeast    int  `key:"at_least" optional:"true" min:"1" max:"100000" doc:"The run is inconclusive when fewer of them took effect."`
	AtMost     int  `key:"at_most" optional:"true" min:"1" max:"100000" doc:"No more than this many starts."`
	LoseQuorum bool `key:"lose_quorum" optional:"true" doc:"It may strike although a cluster, or DrummerDB, then has no quorum; otherwise it waits or is skipped."`

	// Parameters points to the kind's parameters, a struct of the type that it
	// registered; nil when it takes none.
	Parameters any
}

var faultType = reflect.TypeFor[Fault]()

// slots are the fields of a fault and of its parameters.
func (f *Fault) slots() []slot {
	all := slotsOf(reflect.ValueOf(f).Elem())
	if f.Parameters != nil {
		all = append(all, slotsOf(reflect.ValueOf(f.Parameters).Elem())...)
	}
	return all
}

// decode implements part. Which fields there are depends on the kind, wherever
// in the mapping that stands.
func (f *Fault) decode(d *decoder, node *yaml.Node, path string) {
	kind, known := FaultKindOf(scalarOf(node, "kind"))
	f.Parameters = newFilled(kind.Parameters)
	slots := f.slots()
	d.decodeFields(node, path, slots, func(key string) string {
		switch foreign := isParameter(key); {
		case foreign && known:
			return fmt.Sprintf("found it with kind %s, which takes %s", kind.Name, kind.parameterList())
		case foreign:
			return "" // it may belong to the kind that was meant
		}
		return d.unknown(key, path, slots)
	})
	if kindPath := join(path, "kind"); !known && d.read(kindPath) {
		d.fail(kindPath, "found %q, expected %s%s", shorten(f.Kind), oneOf(faultKinds.names()), didYouMean(f.Kind, faultKinds.names()))
	}
}

// scalarOf returns the value of a key of a mapping; empty if there is none.
func scalarOf(node *yaml.Node, key string) string {
	for i := 0; node.Kind == yaml.MappingNode && i+1 < len(node.Content); i += 2 {
		if node.Content[i].Value == key {
			return node.Content[i+1].Value
		}
	}
	return ""
}

// isParameter reports whether any kind of fault takes a parameter of that key.
func isParameter(key string) bool {
	return slices.ContainsFunc(FaultKinds(), func(k FaultKind) bool {
		return slices.Contains(keysOf(fieldsIn(k.Parameters)), key)
	})
}

func (k FaultKind) parameterList() string {
	if own := keysOf(fieldsIn(k.Parameters)); len(own) > 0 {
		return "only " + oneOf(own)
	}
	return "no parameters of its own"
}

func (f *Fault) encode() *yaml.Node { return encodeFields(f.slots()) }
func (f *Fault) absent() bool       { return false }
func (f *Fault) fill()              {}

// schema implements part: the parameters are described with their kinds.
func (f *Fault) schema() object {
	schema := structSchema(faultType)
	properties := schema["properties"].(object)
	var byKind []object
	for _, kind := range FaultKinds() {
		byKind = append(byKind, kind.schema())
		for _, key := range keysOf(fieldsIn(kind.Parameters)) {
			properties[key] = object{}
		}
	}
	if len(byKind) > 0 {
		properties["kind"].(object)["enum"] = faultKinds.names()
		schema["allOf"] = byKind
	}
	return schema
}

// schema says which parameters a fault of the kind takes.
func (k FaultKind) schema() object {
	properties, required := object{}, []string{}
	for _, other := range FaultKinds() {
		for _, key := range keysOf(fieldsIn(other.Parameters)) {
			properties[key] = false
		}
	}
	for _, f := range fieldsIn(k.Parameters) {
		properties[f.key] = f.schema()
		if f.required {
			required = append(required, f.key)
		}
	}
	if !k.Forever {
		properties["forever"] = object{"const": false}
	}
	then := object{"properties": properties}
	if len(required) > 0 {
		then["required"] = required
	}
	return object{"if": object{"properties": object{"kind": object{"const": k.Name}}}, "then": then}
}

// reference implements part.
func (f *Fault) reference(path string) []Entry {
	entries := reference(faultType, path+".")
	for _, kind := range FaultKinds() {
		for _, entry := range registeredReference(kind.Parameters, path+".") {
			entry.Doc = "Of " + kind.Name + ". " + entry.Doc
			entries = append(entries, entry)
		}
	}
	return entries
}
