// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"sync"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// known remembers what clients last learned about keys, so that a good part of
// the cas match. What it says may be out of date at any time.
type known struct {
	mu   sync.Mutex
	keys map[string]kv.State
}

func newKnown() *known { return &known{keys: map[string]kv.State{}} }

// get returns what is known of a key; absence, when nothing is.
func (k *known) get(key string) kv.State {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.keys[key]
}

// learn takes in the answer to a command, or to a get (a zero Op).
func (k *known) learn(c kv.Command, a kv.Answer) {
	k.mu.Lock()
	defer k.mu.Unlock()
	state := a.Observed
	if c.Op != 0 && a.Status == kv.OK {
		if c.Op == kv.Append {
			before := k.keys[c.Key]
			if before.Writer != a.Observed.Writer {
				delete(k.keys, c.Key) // appended to what nobody here has seen
				return
			}
			c.Value = kv.Some(before.Value.Text + c.Value.Text)
		}
		state = kv.State{Value: c.Value, Writer: c.Writer}
	}
	k.keys[c.Key] = state
}
