// SPDX-License-Identifier: Apache-2.0

package smtest_test

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey/smtest"
)

// counter adds bytes. Its snapshots are eight bytes long, and it trusts that
// one Read returns all of them.
type counter struct{ total uint64 }

func newCounter(clusterID, nodeID uint64) sm.IStateMachine { return &counter{} }

func (c *counter) Update(command []byte) (sm.Result, error) {
	c.total += uint64(command[0])
	return sm.Result{Value: c.total}, nil
}

func (c *counter) Lookup(any) (any, error) { return c.total, nil }

func (c *counter) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return binary.Write(w, binary.BigEndian, c.total)
}

func (c *counter) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	var data [8]byte
	if _, err := r.Read(data[:]); err != nil && err != io.EOF {
		return err
	}
	c.total = binary.BigEndian.Uint64(data[:])
	return nil
}

func (c *counter) Close() error { return nil }

// t stands for the *testing.T of TestCounter. It prints what that would.
var t testing.TB = example{}

type example struct{ testing.TB }

func (example) Helper()      {}
func (example) Name() string { return "TestCounter" }
func (example) TempDir() string {
	return fmt.Sprintf("%s/smtest-example-%d", os.TempDir(), os.Getpid())
}
func (example) Logf(format string, args ...any)   { fmt.Printf(format+"\n", args...) }
func (example) Fatalf(format string, args ...any) { fmt.Printf(format, args...) }

func ExampleRun() {
	smtest.Run(t, smtest.Regular(newCounter), smtest.Config{
		Command:  func(r *rand.Rand) []byte { return []byte{byte(r.IntN(10))} },
		Query:    func(r *rand.Rand) any { return "total" },
		Describe: func(command []byte) string { return fmt.Sprint("add ", command[0]) },
		Seed:     1,
	})
	// Output:
	// the state machine breaks Dragonboat's contract (snapshots)
	//
	// What happened
	//   The states differ after entry 1.
	//   to the query "total"
	//   the first replica answers: 1
	//   a new replica that recovered from the snapshot answers: 0
	//
	// What was done
	//   a snapshot is saved after entry 1
	//   a new replica that recovered from the snapshot, with reads of one byte each
	//
	// The log
	//   entry 1 (index 1): add 1
	//
	// What the contract asks for
	//   A snapshot holds the complete state: a replica that recovers from it answers every later entry
	//   and every query as the one that saved it does. RecoverFromSnapshot replaces whatever state there
	//   was, for it is also called on a replica that has fallen behind. It gets an io.Reader, which may
	//   return fewer bytes than it is asked for.
	//
	// What to do
	//   Compare the fields that Update reads with those that SaveSnapshot writes and RecoverFromSnapshot
	//   reads: tables for duplicates, counters, sequence numbers and what was added last are forgotten
	//   most often. Start RecoverFromSnapshot from an empty state. Read with io.ReadFull or a decoder,
	//   not with a single Read.
	//
	// Reproduce
	//   go test -run '^TestCounter$' github.com/drumbeat-raft/drumbeat/monkey/smtest -smtest.seed=1
}
