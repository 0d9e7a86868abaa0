// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"math/rand/v2"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// kvConfig drives the bundled key-value state machines.
func kvConfig() Config {
	maybe := func(r *rand.Rand) kv.Maybe {
		return kv.Maybe{Present: true, Text: fmt.Sprint(r.IntN(3))}
	}
	return Config{
		Command: func(r *rand.Rand) []byte {
			return kv.Command{
				Op:       []kv.Op{kv.Put, kv.CAS, kv.Append, kv.Delete}[r.IntN(4)],
				Key:      fmt.Sprint("k", r.IntN(3)),
				Value:    maybe(r),
				Expected: maybe(r),
				Writer:   fmt.Sprint("w", r.IntN(1000)),
			}.Encode()
		},
		Query: func(r *rand.Rand) any { return kv.GetQuery(fmt.Sprint("k", r.IntN(3))) },
		Describe: func(data []byte) string {
			c, err := kv.DecodeCommand(data)
			if err != nil {
				return err.Error()
			}
			return fmt.Sprintf("%v %s %v, expected %v, by %s", c.Op, c.Key, c.Value, c.Expected, c.Writer)
		},
	}
}

// kvMachines are the bundled state machines, of all kinds.
func kvMachines(newCore statemachine.NewCore) map[string]Machine {
	return map[string]Machine{
		"regular":    Regular(statemachine.Regular(newCore)),
		"concurrent": Concurrent(statemachine.Concurrent(newCore)),
		"on-disk": OnDisk(func(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc {
			return statemachine.OnDisk(fs, dir, newCore)
		}),
		"on-disk-dir": OnDiskDir(func(dir string) sm.CreateOnDiskStateMachineFunc {
			return statemachine.OnDisk(vfs.Default, dir, newCore)
		}),
	}
}

func TestNothingIsFoundInTheBundledStateMachines(t *testing.T) {
	for name, m := range kvMachines(statemachine.Correct) {
		t.Run(name, func(t *testing.T) {
			c := kvConfig()
			if name == "on-disk-dir" {
				c.Runs = 5 // it syncs a real disk thousands of times
			}
			Run(t, m, c)
		})
	}
}
