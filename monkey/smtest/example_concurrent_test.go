// SPDX-License-Identifier: Apache-2.0

package smtest_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"sync/atomic"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey/smtest"
)

// gauge holds the last byte.
type gauge struct{ value atomic.Uint64 }

func newGauge(clusterID, nodeID uint64) sm.IConcurrentStateMachine { return &gauge{} }

func (g *gauge) Update(entries []sm.Entry) ([]sm.Entry, error) {
	for i := range entries {
		g.value.Store(uint64(entries[i].Cmd[0]))
	}
	return entries, nil
}

func (g *gauge) Lookup(any) (any, error) { return g.value.Load(), nil }

func (g *gauge) PrepareSnapshot() (any, error) { return g.value.Load(), nil }

func (g *gauge) SaveSnapshot(prepared any, w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return binary.Write(w, binary.BigEndian, prepared.(uint64))
}

func (g *gauge) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	var value uint64
	if err := binary.Read(r, binary.BigEndian, &value); err != nil {
		return err
	}
	g.value.Store(value)
	return nil
}

func (g *gauge) Close() error { return nil }

func ExampleConcurrent() {
	smtest.Run(t, smtest.Concurrent(newGauge), smtest.Config{
		Command: func(r *rand.Rand) []byte { return []byte{byte(r.IntN(10))} },
		Query:   func(r *rand.Rand) any { return "value" },
		Digest:  func(machine any) string { return fmt.Sprint(machine.(*gauge).value.Load()) },
		Runs:    20,
		Seed:    1,
	})
	// Output: smtest: 20 runs from seed 1, states compared by Config.Digest: nothing found
}
