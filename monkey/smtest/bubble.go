// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"testing"
	"testing/synctest"
)

// canBubble reports whether this test can make synctest bubbles: it is a
// *testing.T, and not in one itself.
func (k *kit) canBubble() (can bool) {
	t, ok := k.t.(*testing.T)
	if !ok {
		return false
	}
	defer func() {
		if recover() != nil {
			can = false
		}
	}()
	synctest.Test(t, func(*testing.T) {})
	return true
}

// inAnotherTime runs f in a bubble, where time is virtual, if there can be one.
func (t *trial) inAnotherTime(f func()) {
	if !t.kit.bubbles {
		return
	}
	var failed *failure
	ended := false
	deadlock := func() (v any) {
		defer func() { v = recover() }()
		synctest.Test(t.kit.t.(*testing.T), func(*testing.T) {
			failed = failing(f)
			ended = true
		})
		return nil
	}()
	switch {
	case failed != nil:
		panic(failed)
	case deadlock != nil && !ended: // what is left over afterwards is for another check
		t.fail("The state machine waits for something that never comes.\n%v", deadlock)
	}
}
