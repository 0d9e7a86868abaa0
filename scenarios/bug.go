// SPDX-License-Identifier: Apache-2.0

package scenarios

// Bug plants a known bug in the state machines (monkey/statemachine/mutant).
type Bug struct {
	Kind  string `key:"kind" required:"true" enumOf:"bugs" doc:"Which bug; see the table of bugs."`
	Every int    `key:"every" optional:"true" min:"1" max:"1000000000" doc:"It strikes about once in this many occasions. Absent: as the table of bugs says."`
	Nodes string `key:"nodes" default:"one" enum:"one|all" doc:"Whether one of the first members of each cluster has it, or every node."`
}

// BugKind is a bug that a scenario file may plant.
type BugKind struct {
	Name, Doc string
	// Occasion says when it can strike, and what is counted as an occasion.
	Occasion string
	// Every is the mean number of occasions from one strike to the next, unless
	// the scenario says otherwise.
	Every int
	// FoundBy lists the keys of the checks that must find it.
	FoundBy []string
	// Upgrade bugs are of version 2 of the state machines: they strike only in
	// deployments whose hosts are upgraded.
	Upgrade bool
	// Racy bugs depend on the order of goroutines: they strike only where a run
	// explores it.
	Racy bool
}

var bugKinds = registry[BugKind]{what: "kind of bug"}

// RegisterBug makes a bug known to scenario files. It is called from an init
// function, and panics on a name given twice.
func RegisterBug(k BugKind) { bugKinds.add(k.Name, k) }

// BugKinds returns the registered bugs, in order of their names.
func BugKinds() []BugKind { return bugKinds.all() }

// BugKindOf returns the registered bug of that name.
func BugKindOf(name string) (BugKind, bool) {
	k, ok := bugKinds.byName[name]
	return k, ok
}
