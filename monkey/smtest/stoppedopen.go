// SPDX-License-Identifier: Apache-2.0

package smtest

import sm "github.com/lni/dragonboat/v3/statemachine"

var stoppedOpen = check{
	name:  "stopped open",
	kinds: onDisk,
	contract: "Where Open gives up the next process can open the files. It may do so when its stop channel is closed, with ErrOpenStopped, which Dragonboat compares with ==. " +
		"The state machine is closed then.",
	advice: "Return sm.ErrOpenStopped itself, not wrapped, and leave the files so that the next Open can read them. Let Close work on what was never opened.",
	run: func(t *trial) {
		r := t.start("the replica")
		r.apply(t.points(1)[0])
		r.sync()
		r.die(death{})
		r.mount()
		stop := make(chan struct{})
		close(stop)
		t.step("Open is called %s, with its stop channel closed", place(r.at))
		err := r.call("Open", func() error {
			_, err := r.onDisk().Open(stop)
			return err
		})
		t.stoppedWith("Open", err, sm.ErrOpenStopped)
		t.step("Close is called, and then Open of the next process")
		r.close()
		r.die(death{})
		r.mount()
		if index := r.open(); index != t.index(r.at) {
			t.fail("Open returned %d, expected %d, which Sync was called for.", index, t.index(r.at))
		}
		t.finish(r)
	},
}
