// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

var stoppedRecovery = check{
	name:  "stopped recovery",
	kinds: allKinds,
	contract: "Where RecoverFromSnapshot returns no error the state is that of the snapshot, and where it does the next process can recover from it. " +
		"A Read that failed is not passed over. It may give up when its stop channel is closed, with ErrSnapshotStopped, which Dragonboat compares with ==. " +
		"A replica that gave up is closed. When it is started again it recovers from the same snapshot, " +
		"and an on-disk state machine must not name the snapshot's index in Open before all of it is there.",
	advice: "Return what Read returned; only io.EOF, where it is expected, is the end. Return sm.ErrSnapshotStopped itself, not wrapped. " +
		"On disk, write the new state beside the old one and make its index known in one step, last.",
	run: func(t *trial) {
		source := t.start("the replica that saves")
		source.apply(t.points(1)[0])
		saved := source.save()
		size := len(saved.data)
		for _, limit := range []int{0, t.plan.IntN(size + 1)} {
			behind := t.plan.IntN(saved.at + 1)
			t.interrupt(saved, behind, limit, true)
			if limit < size {
				t.interrupt(saved, behind, limit, false)
			}
		}
	},
}

// interrupt stops a recovery after a number of bytes, or lets Read fail there,
// and starts the replica again.
func (t *trial) interrupt(s snapshot, behind, limit int, stops bool) {
	t.forgetSteps()
	r := t.start("a replica whose recovery was interrupted")
	if behind < s.at { // else it would have no use for the snapshot
		r.apply(behind)
		t.step("a replica applies %s", t.entries(0, behind))
	}
	stop := make(chan struct{})
	in := &limitedReader{r: bytes.NewReader(s.data), left: limit, fails: !stops, atLimit: func() { close(stop) }}
	if stops {
		t.step("RecoverFromSnapshot is called with a snapshot saved %s; its stop channel is closed after %d of %d bytes", place(s.at), limit, len(s.data))
		in.check()
	} else {
		t.step("RecoverFromSnapshot is called with a snapshot saved %s; Read fails after %d of %d bytes", place(s.at), limit, len(s.data))
		in.atLimit = func() {}
	}
	err := r.call("RecoverFromSnapshot", func() error { return r.recoverFrom(s, in, stop) })
	if stops {
		t.stoppedWith("RecoverFromSnapshot", err, sm.ErrSnapshotStopped)
		if in.beyond > t.kit.config.StopWithin {
			t.fail("RecoverFromSnapshot read %d bytes after its stop channel was closed; Config.StopWithin allows %d. The node can't be closed for so long.", in.beyond, t.kit.config.StopWithin)
		}
	}
	if err == nil {
		t.step("it returned no error, so the state is that of the snapshot")
		r.at = s.at
		t.sameState(r)
		r.discard()
		return
	}
	if r.disk == nil {
		r.close() // the next process begins from nothing, as the snapshots check does
		return
	}
	t.restartInterrupted(r, s, behind)
}

// restartInterrupted starts an on-disk replica again whose recovery was
// interrupted. Dragonboat has it recover once more if it isn't there yet.
func (t *trial) restartInterrupted(r *replica, s snapshot, behind int) {
	r.close()
	r.die(death{})
	r.mount()
	index := r.open()
	t.step("it is closed and started again: Open returns %d", index)
	if index < t.index(s.at) {
		t.step("RecoverFromSnapshot is called again")
		r.restore(s, readSizes{})
	} else if index != t.index(s.at) {
		t.fail("Open returned %d. The replica was never given more than a snapshot of index %d.", index, t.index(s.at))
	}
	r.at = s.at
	t.sameState(r)
	t.finish(r)
}

// limitedReader does something once it has given a number of bytes, and fails
// from then on if it is to.
type limitedReader struct {
	r       io.Reader
	left    int
	atLimit func()
	fails   bool
	reached bool
	beyond  int // bytes that were read after the limit
}

// check does at the limit what is to be done there.
func (r *limitedReader) check() {
	if r.left == 0 && !r.reached {
		r.reached = true
		r.atLimit()
	}
}

func (r *limitedReader) Read(into []byte) (int, error) {
	r.check()
	if r.reached {
		if r.fails {
			return 0, errBroken
		}
		n, err := r.r.Read(into)
		r.beyond += n
		return n, err
	}
	n, err := r.r.Read(into[:min(r.left, len(into))])
	r.left -= n
	return n, err
}
