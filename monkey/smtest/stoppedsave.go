// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"errors"
	"io"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

var stoppedSave = check{
	name:  "stopped save",
	kinds: allKinds,
	contract: "Where SaveSnapshot returns no error the snapshot is whole, and where it does the state is as it was. A Write that failed is not passed over. " +
		"SaveSnapshot may give up when its stop channel is closed, with ErrSnapshotStopped, and at any time with ErrSnapshotAborted; " +
		"an on-disk state machine returns ErrSnapshotStreaming when its writer does. Dragonboat compares these with ==.",
	advice: "Return what Write returned, unwrapped, and look at the error of the last Flush or Close as well. " +
		"Look at the stop channel between records and return sm.ErrSnapshotStopped itself, not wrapped. Free what PrepareSnapshot made on every way out.",
	run: func(t *trial) {
		r := t.start("the replica that saves")
		r.apply(t.points(1)[0])
		whole := r.save()
		size := len(whole.data)
		for _, limit := range []int{0, t.plan.IntN(size + 1), t.plan.IntN(size + 1)} {
			t.stopSave(r, limit)
			t.failSave(r, limit, size)
		}
		t.forgetSteps()
		t.step("SaveSnapshot was interrupted several times %s", place(r.at))
		t.sameState(r)
		fresh := t.recovered("a replica that recovered from a snapshot saved after those that were interrupted", r.save(), 0)
		t.finish(fresh)
		t.forgetSteps()
		t.step("SaveSnapshot was interrupted several times %s", place(r.at))
		t.finish(r)
	},
}

// stopSave closes the stop channel once a number of bytes were written.
func (t *trial) stopSave(r *replica, limit int) {
	t.forgetSteps()
	t.step("SaveSnapshot is called %s; its stop channel is closed after %d bytes", place(r.at), limit)
	var out bytes.Buffer
	stop := make(chan struct{})
	w := &limitedWriter{w: &out, left: limit, atLimit: func() error { close(stop); return nil }}
	w.check()
	files, err := r.saveTo(r.prepare(), w, stop)
	t.stoppedWith("SaveSnapshot", err, sm.ErrSnapshotStopped, sm.ErrSnapshotAborted)
	if w.beyond > t.kit.config.StopWithin {
		t.fail("SaveSnapshot wrote %d bytes after its stop channel was closed; Config.StopWithin allows %d. The node can't be closed for so long.", w.beyond, t.kit.config.StopWithin)
	}
	if err == nil {
		t.step("it returned no error, so the snapshot is whole")
		fresh := t.start("a replica that recovered from that snapshot")
		fresh.restore(snapshot{out.Bytes(), files, r.at}, readSizes{})
		t.sameState(fresh)
		fresh.discard()
	}
}

// failSave lets the writer fail once a number of bytes were written.
func (t *trial) failSave(r *replica, limit, size int) {
	if limit >= size {
		return // it need not come to that
	}
	t.forgetSteps()
	t.step("SaveSnapshot is called %s; Write fails after %d of %d bytes", place(r.at), limit, size)
	failure := errBroken
	if t.kit.machine.kind == onDisk {
		failure = sm.ErrSnapshotStreaming
	}
	w := &limitedWriter{w: io.Discard, left: limit, atLimit: func() error { return failure }, fails: true}
	_, err := r.saveTo(r.prepare(), w, make(chan struct{}))
	if w.beyond == 0 {
		return // this time it wrote less
	}
	if err == nil {
		t.fail("SaveSnapshot returned no error, though Write had returned %q. Dragonboat takes the snapshot for whole and drops the log before it.", failure)
	}
	if t.kit.machine.kind == onDisk {
		t.stoppedWith("SaveSnapshot", err, sm.ErrSnapshotStreaming, sm.ErrSnapshotStopped, sm.ErrSnapshotAborted)
	}
}

// stoppedWith checks the error of a call that was interrupted.
func (t *trial) stoppedWith(method string, err error, allowed ...error) {
	if err == nil {
		return
	}
	for _, a := range allowed {
		if err == a {
			return
		}
		if errors.Is(err, a) {
			t.fail("%s returned an error that wraps %q. Dragonboat compares with ==, takes it for beyond repair and ends the process.\nthe error: %v", method, a, err)
		}
	}
	t.fail("%s was interrupted and returned %q, expected %q. Dragonboat takes any other error for beyond repair and ends the process.", method, err, allowed[0])
}

// limitedWriter does something once it has got a number of bytes, and fails
// from then on if it is to.
type limitedWriter struct {
	w       io.Writer
	left    int
	atLimit func() error
	fails   bool
	err     error
	reached bool
	beyond  int // bytes that were written, or not, after the limit
}

// check does at the limit what is to be done there.
func (w *limitedWriter) check() {
	if w.left == 0 && !w.reached {
		w.reached, w.err = true, w.atLimit()
	}
}

func (w *limitedWriter) Write(data []byte) (int, error) {
	if w.reached {
		w.beyond += len(data)
		if w.fails {
			return 0, w.err
		}
		return w.w.Write(data)
	}
	within := min(w.left, len(data))
	n, err := w.w.Write(data[:within])
	w.left -= n
	w.check()
	if err != nil || within == len(data) {
		return n, err
	}
	more, err := w.Write(data[within:])
	return n + more, err
}
