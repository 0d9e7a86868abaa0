// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

var input = check{
	name:  "input",
	kinds: allKinds,
	contract: "A command is not changed, and no slice of it is kept. It is still to be sent to other replicas, and once Update has returned " +
		"its memory is used again. The same goes for the slice of entries and for queries.",
	advice: "Copy what stays in the state: bytes.Clone(cmd), or string(cmd[…]). Decoders such as protobuf's or a hand-written one may " +
		"return slices of their input.",
	run: func(t *trial) {
		r := t.start("a replica whose input is overwritten after each call")
		for i, e := range t.log {
			cmd := bytes.Clone(e.cmd)
			entries := []sm.Entry{{Index: e.index, Cmd: cmd}}
			got := r.update(entries)
			if !bytes.Equal(cmd, e.cmd) {
				t.fail("Update changed the command of entry %d.\nit was %q\nit is  %q", i+1, e.cmd, cmd)
			}
			scribble(cmd)
			entries[0] = sm.Entry{Cmd: cmd}
			r.at = i + 1
			t.step("entry %d; then its command is overwritten", i+1)
			t.sameResults(r.name, i, got)
			for _, query := range t.queries {
				if data, ok := copyQuery(query).([]byte); ok {
					_ = r.call("Lookup", func() error {
						_, err := r.m.Lookup(data)
						return err
					})
					scribble(data)
				}
			}
			t.sameState(r)
		}
	},
}

// scribble overwrites bytes that nobody may look at any more.
func scribble(data []byte) {
	for i := range data {
		data[i] = '#'
	}
}
