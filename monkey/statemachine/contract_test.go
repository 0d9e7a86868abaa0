// SPDX-License-Identifier: Apache-2.0

package statemachine_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/smtest"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// kvConfig draws from few keys and values, so that commands meet.
func kvConfig() smtest.Config {
	value := func(r *rand.Rand) kv.Maybe { return kv.Maybe{Present: true, Text: fmt.Sprint(r.IntN(3))} }
	key := func(r *rand.Rand) string { return fmt.Sprint("k", r.IntN(3)) }
	return smtest.Config{
		Command: func(r *rand.Rand) []byte {
			op := []kv.Op{kv.Put, kv.CAS, kv.Append, kv.Delete}[r.IntN(4)]
			return kv.Command{Op: op, Key: key(r), Value: value(r), Expected: value(r), Writer: fmt.Sprint("w", r.IntN(1000))}.Encode()
		},
		Query: func(r *rand.Rand) any { return kv.GetQuery(key(r)) },
	}
}

func TestRegularKeepsTheContract(t *testing.T) {
	smtest.Run(t, smtest.Regular(statemachine.Regular(statemachine.Correct)), kvConfig())
}

func TestConcurrentKeepsTheContract(t *testing.T) {
	smtest.Run(t, smtest.Concurrent(statemachine.Concurrent(statemachine.Correct)), kvConfig())
}

func TestOnDiskKeepsTheContract(t *testing.T) {
	smtest.Run(t, smtest.OnDisk(func(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc {
		return statemachine.OnDisk(fs, dir, statemachine.Correct)
	}), kvConfig())
}

func TestOnDiskKeepsTheContractInAFolder(t *testing.T) {
	c := kvConfig()
	c.Runs = 2 // it syncs thousands of times
	if _, err := os.Stat("/dev/shm"); err == nil {
		t.Setenv("TMPDIR", "/dev/shm")
		c.Runs = 20
	}
	smtest.Run(t, smtest.OnDiskDir(func(dir string) sm.CreateOnDiskStateMachineFunc {
		return statemachine.OnDisk(vfs.Default, dir, statemachine.Correct)
	}), c)
}
