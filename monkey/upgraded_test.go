// SPDX-License-Identifier: Apache-2.0

package monkey_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey"
)

// release is counters in two versions. A snapshot begins with the version that wrote it,
// and each version reads both.
type release struct {
	counters
	version byte
}

func newRelease(version byte) sm.CreateStateMachineFunc {
	return func(_, _ uint64) sm.IStateMachine { return &release{counters{of: map[byte]uint64{}}, version} }
}

// order is how a version writes numbers.
func order(version byte) (binary.ByteOrder, error) {
	switch version {
	case 1:
		return binary.BigEndian, nil
	case 2:
		return binary.LittleEndian, nil
	}
	return nil, fmt.Errorf("found a snapshot of version %d, expected 1 or 2", version)
}

func (b *release) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	written, err := order(b.version)
	if err != nil {
		return err
	}
	if _, err := w.Write([]byte{b.version}); err != nil {
		return err
	}
	for name := range byte(names) {
		if err := binary.Write(w, written, b.of[name]); err != nil {
			return err
		}
	}
	return nil
}

func (b *release) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	var version [1]byte
	if _, err := io.ReadFull(r, version[:]); err != nil {
		return err
	}
	written, err := order(version[0])
	if err != nil {
		return err
	}
	b.of = map[byte]uint64{}
	for name := range byte(names) {
		var n uint64
		if err := binary.Read(r, written, &n); err != nil {
			return err
		}
		b.of[name] = n
	}
	return nil
}

// upgrades is a deployment that is upgraded host by host, set back and upgraded again.
const upgrades = `
name: upgrades
duration: 3m
deployment: {drummers: 0, nodehosts: 3}
clusters: {count: 3, size: 3, snapshot_entries: 20, compaction_overhead: 5}
workload: {rate: 10}
faults:
  - {kind: upgrade, target: each nodehost, version: 2, at: [5s], for: 1s..3s, gap: 5s..10s, at_least: 3}
  - {kind: upgrade, target: each nodehost, version: 1, at: [60s], for: 1s..3s, gap: 5s..10s, at_least: 3}
  - {kind: upgrade, target: each nodehost, version: 2, at: [120s], for: 1s..3s, gap: 5s..10s, at_least: 3}
checks: {evidence: {min_operations: 100}}
expect: {upgrades: 9, older_snapshots: ">= 3", newer_snapshots: ">= 3"}
`

// ExampleStateMachine_Upgraded tests a state machine while it is upgraded.
func ExampleStateMachine_Upgraded() {
	_ = func(t *testing.T) { // func TestUpgrade(t *testing.T) {
		monkey.Test(t, monkey.Config{
			Scenario:     upgrades, // faults: - {kind: upgrade, target: each nodehost, version: 2, …}
			StateMachine: monkey.Regular(newRelease(1)).Upgraded(monkey.Regular(newRelease(2))),
			Workload:     counting,
			Model:        sum,
		})
	}
}

func TestAStateMachineIsUpgraded(t *testing.T) {
	monkey.Test(t, monkey.Config{
		Scenario:     upgrades,
		StateMachine: monkey.Regular(newRelease(1)).Upgraded(monkey.Regular(newRelease(2))),
		Workload:     counting,
		Model:        sum,
		Seeds:        1,
	})
}
