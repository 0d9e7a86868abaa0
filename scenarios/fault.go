// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Capability is something that a world can do to its hosts. A world states
// its capabilities, and a scenario that needs another one is refused.
type Capability string

// The capabilities that faults need.
const (
	CanKill        Capability = "kill"         // end a host's processes at once, and start them again
	CanPowerLoss   Capability = "power-loss"   // lose what was not synced to disk
	CanWipe        Capability = "wipe"         // lose the disk
	CanCut         Capability = "cut"          // drop all messages between two hosts, by direction
	CanLose        Capability = "lose"         // drop some of them
	CanDuplicate   Capability = "duplicate"    // deliver some of them twice
	CanDelay       Capability = "delay"        // hold messages back
	CanReorder     Capability = "reorder"      // let messages overtake each other
	CanCorrupt     Capability = "corrupt"      // flip bits of what is sent
	CanLimit       Capability = "limit"        // limit the bandwidth between two hosts
	CanHold        Capability = "hold"         // keep what is sent, and deliver it later
	CanReset       Capability = "reset"        // reset connections
	CanShutDown    Capability = "shut-down"    // end processes in good order
	CanFailDisk    Capability = "fail-disk"    // let operations on a disk fail
	CanRot         Capability = "rot"          // flip bits on a disk
	CanSlowDisk    Capability = "slow-disk"    // make a disk slow
	CanRestoreDisk Capability = "restore-disk" // set a disk back to a copy of it
	CanPause       Capability = "pause"        // let processes stand still, and go on
	CanSetTicks    Capability = "set-ticks"    // make Dragonboat's ticks faster or slower
	CanUpgrade     Capability = "upgrade"      // start processes of another version of the state machine
	CanAsk         Capability = "ask"          // ask Dragonboat on a host for something
	CanOperate     Capability = "operate"      // ask Drummer for what operators ask
	CanWatch       Capability = "watch"        // say when Dragonboat and Drummer do something
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
	// Effect names the counts of a result's effects that are the kind's own.
	Effect []string
	Needs  Capability
	// Down: the host is down while it lasts.
	Down bool
	// MayMiss: it may find nothing to act on, as a partition does between hosts that
	// exchange nothing.
	MayMiss bool
	// Instant: it lasts no time, so that it has no 'for'.
	Instant bool
	// Untargeted: it strikes no host, so that it has no target.
	Untargeted bool
	// Exact: it takes an exact run.
	Exact bool
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
	// Bites reports whether a fault of the kind can have an effect in a scenario, for
	// a swarm; nil: in any.
	Bites func(s *Scenario) bool
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

// FormatParameters writes parameters of the kind as in a file, on one line.
func (k FaultKind) FormatParameters(parameters any) string {
	node := encodeFields(slotsOf(reflect.ValueOf(parameters).Elem()))
	node.Style = yaml.FlowStyle
	text, err := yaml.Marshal(node)
	if err != nil { // scalars can always be written
		return err.Error()
	}
	return strings.TrimSpace(string(text))
}

// ParseParameters reads what FormatParameters wrote.
func (k FaultKind) ParseParameters(text string) (any, error) {
	node, err := parseYAML(k.Name, []byte(text))
	if err != nil {
		return nil, err
	}
	d, parameters := newDecoder(k.Name), k.NewParameters()
	if parameters == nil {
		return nil, fmt.Errorf("kind %s takes no parameters", k.Name)
	}
	slots := slotsOf(reflect.ValueOf(parameters).Elem())
	d.decodeFields(node, "", slots, func(key string) string { return d.unknown(key, "", slots) })
	return parameters, d.err()
}

// ParameterReference lists the parameters of the kind itself.
func (k FaultKind) ParameterReference() []Entry { return registeredReference(k.Parameters, "") }

// Fault is one entry of the list of faults: what is done, to whom, when, and for
// how long. Either it has a Kind, or it holds other faults in one of Sequence,
// Together and OneOf. Of an entry of the list exactly one of Every, Count, At and
// When is set; of a fault inside another one none is.
type Fault struct {
	Kind   string `key:"kind" optional:"true" doc:"What is done; see the table of kinds."`
	Target Target `key:"target" optional:"true" doc:"To whom; see the table of targets."`

	Sequence Faults `key:"sequence" doc:"In place of kind and target: these faults, one after the other; each begins when the one before it is over."`
	Together Faults `key:"together" doc:"In place of kind and target: these faults at one instant, all of them or none."`
	OneOf    Faults `key:"one_of" doc:"In place of kind and target: one of these faults, drawn each time."`

	Every Duration   `key:"every" optional:"true" min:"100ms" doc:"Mean interval between two starts; each is drawn between half and one and a half of it."`
	Count int        `key:"count" optional:"true" min:"1" max:"100000" doc:"Exactly this many, at drawn times."`
	At    []Duration `key:"at" doc:"Exactly at these offsets into the phase with faults. Faults given one instant strike together."`
	When  Moment     `key:"when" optional:"true" enumOf:"moments" doc:"At such a moment, see the table of moments; at_most times, or else once."`

	Times       int     `key:"times" optional:"true" min:"1" max:"1000" doc:"At each start it is carried out so often, one after the other. Absent: once."`
	Gap         Range   `key:"gap" optional:"true" doc:"Time from the end of one to the beginning of the next: of a sequence, of times, and of a target that is each."`
	Probability Percent `key:"probability" optional:"true" doc:"Chance that it is carried out at all, drawn each time. Absent: certain."`
	Exclusive   bool    `key:"exclusive" optional:"true" doc:"Nothing else is done meanwhile: it waits for the end of all other faults, and others wait for its end."`

	For     Range `key:"for" optional:"true" doc:"How long it lasts, drawn from the range, such as 10s..40s. Of a fault with a kind."`
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
	switch kindPath := join(path, "kind"); {
	case known || !d.read(kindPath):
	case f.Kind == "" && len(f.groups()) == 0:
		d.add(path, "found no \"kind\", expected one, or sequence, together or one_of: what is done")
		d.unread[kindPath] = true
	case f.Kind != "":
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
