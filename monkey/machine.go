// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"fmt"
	"slices"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/application"
)

// StateMachine is a state machine that is tested, or several: see Regular,
// Concurrent, OnDisk and Several.
type StateMachine struct{ machines []application.Machine }

// theName is that of a state machine that is the only one.
const theName = "application"

// Regular is a state machine of the kind IStateMachine, by the factory that
// NodeHost.StartCluster takes.
func Regular(create sm.CreateStateMachineFunc) StateMachine {
	return StateMachine{[]application.Machine{{Name: theName, Regular: create}}}
}

// Concurrent is a state machine of the kind IConcurrentStateMachine, by the factory
// that NodeHost.StartConcurrentCluster takes.
func Concurrent(create sm.CreateConcurrentStateMachineFunc) StateMachine {
	return StateMachine{[]application.Machine{{Name: theName, Concurrent: create}}}
}

// OnDisk is a state machine of the kind IOnDiskStateMachine that keeps its files in
// dir on fs, a folder of that replica on its host's simulated disk, which may be
// killed or lose its power at any moment. The folder is there when Open is called.
func OnDisk(create func(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc) StateMachine {
	return StateMachine{[]application.Machine{{Name: theName, OnDisk: create}}}
}

// Upgraded is a state machine that scenarios upgrade, host by host (fault upgrade): to
// is its version 2, and m its version 1. Each must read the snapshots, and on-disk
// state machines the files, of the other, and both must make the same of one log:
// while hosts are upgraded replicas of both work side by side, and a host may be set
// back. to is of the same kind; of Several it has as many, in order of their names. A
// state machine that is not Upgraded is the same in both versions.
func (m StateMachine) Upgraded(to StateMachine) StateMachine {
	all := slices.Clone(m.machines)
	for i := range all {
		all[i].Upgraded = &application.Machine{} // of no kind, which is refused
		if len(to.machines) == len(all) {
			all[i].Upgraded = &to.machines[i]
		}
	}
	return StateMachine{all}
}

// Several are state machines that answer the same operations in the same way. They
// are dealt out to the clusters in turn, in order of their names.
func Several(byName map[string]StateMachine) StateMachine {
	var all []application.Machine
	for name, m := range byName {
		for i, one := range m.machines {
			if one.Name = name; i > 0 {
				one.Name = fmt.Sprintf("%s-%d", name, i+1)
			}
			all = append(all, one)
		}
	}
	return StateMachine{application.Sorted(all)}
}
