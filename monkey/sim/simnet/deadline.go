// SPDX-License-Identifier: Apache-2.0

package simnet

import "time"

// deadline is a moment after which waiting ends. Guarded by the network's lock.
type deadline struct {
	passed chan struct{} // closed when the moment has come
	timer  *time.Timer   // the one that will close it, if any
}

// set moves the deadline; the zero time means there is none.
func (d *deadline) set(n *Network, t time.Time) {
	d.clear()
	if d.isPast() {
		d.passed = make(chan struct{})
	}
	if t.IsZero() {
		return
	}
	wait := time.Until(t)
	if wait <= 0 {
		close(d.passed)
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(wait, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		if d.timer == timer {
			close(d.passed)
			d.timer = nil
		}
	})
	d.timer = timer
}

func (d *deadline) clear() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *deadline) isPast() bool {
	select {
	case <-d.passed:
		return true
	default:
		return false
	}
}
