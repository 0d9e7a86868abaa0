// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"reflect"
	"slices"
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
	CanDelay     Capability = "delay"      // hold messages back
	CanPause     Capability = "pause"      // stop a host's processes without ending them
)

// The kinds of fault.
const (
	Kill      = "kill"
	PowerLoss = "power-loss"
	Wipe      = "wipe"
	Partition = "partition"
	OneWay    = "one-way"
	Lossy     = "lossy"
	Delay     = "delay"
	Pause     = "pause"
)

// Kind describes a kind of fault: what it needs of the world and which
// parameters it takes besides those of every fault (target, every, count, at,
// for, after, before, at_least, at_most, lose_quorum).
type Kind struct {
	Name  string
	Doc   string
	Needs Capability
	// Down tells whether the host is down while the fault lasts.
	Down bool
	// Forever tells whether it may last for ever.
	Forever bool
	// Required and Optional are the keys of its own parameters.
	Required, Optional []string
	// Defaults has the values of Optional ones that are not given.
	Defaults map[string]string
}

// Kinds is the table of all kinds of fault, in the order of the documentation.
var Kinds = []Kind{
	{Name: Kill, Needs: CanKill, Down: true, Forever: true,
		Doc: "The host's processes end at once, as by SIGKILL; its disk keeps all that was written. It starts again when the fault ends."},
	{Name: PowerLoss, Needs: CanPowerLoss, Down: true, Forever: true,
		Doc: "The host stops at once and its disk loses what was not synced. It starts again when the fault ends."},
	{Name: Wipe, Needs: CanWipe, Down: true,
		Doc: "The host stops at once and loses its disk. When the fault ends it comes back empty, as another host at the same address."},
	{Name: Partition, Needs: CanCut, Optional: []string{"split"}, Defaults: map[string]string{"split": "isolate"},
		Doc: "Messages between two groups of hosts are dropped, both ways."},
	{Name: OneWay, Needs: CanCut, Optional: []string{"direction"}, Defaults: map[string]string{"direction": "either"},
		Doc: "Messages between the target and everybody else are dropped in one direction only."},
	{Name: Lossy, Needs: CanLose, Required: []string{"drop"},
		Doc: "A share of the messages from and to the target is lost."},
	{Name: Delay, Needs: CanDelay, Required: []string{"latency"}, Optional: []string{"jitter"},
		Doc: "Messages from and to the target arrive late."},
	{Name: Pause, Needs: CanPause,
		Doc: "The host's processes stand still, as by SIGSTOP, and then go on."},
}

// KindOf returns the kind of that name.
func KindOf(name string) (Kind, bool) {
	at := slices.IndexFunc(Kinds, func(k Kind) bool { return k.Name == name })
	if at < 0 {
		return Kind{}, false
	}
	return Kinds[at], true
}

// takes tells whether key is one of the kind's own parameters.
func (k Kind) takes(key string) bool {
	return slices.Contains(k.Required, key) || slices.Contains(k.Optional, key)
}

// kindNames returns the names of all kinds.
func kindNames() []string {
	names := make([]string, len(Kinds))
	for i, kind := range Kinds {
		names[i] = kind.Name
	}
	return names
}

// BugKinds returns the names that a planted bug may have.
func BugKinds() []string {
	for _, f := range fieldsOf(reflect.TypeFor[Bug]()) {
		if f.key == "kind" {
			return f.enum
		}
	}
	return nil
}
