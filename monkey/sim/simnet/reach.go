// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// errGhost is what a process gets that has died: its machine is not its own
// any more.
var errGhost = errors.New("the process was ended")

// reach waits until packets pass both ways between a process and the host of
// an address, and have done so for the time of a round trip. Then it calls meet
// with the network locked, once, and returns what it returns. It gives up with
// the context, when the process dies, and after stallTimeout.
func (n *Network) reach(ctx context.Context, p *process, addr string, meet func(*machine) error) error {
	name, ok := hostOf(addr)
	if !ok {
		return fmt.Errorf("address %q is not of the form host:name", addr)
	}
	ctx, cancel := context.WithTimeout(ctx, stallTimeout)
	defer cancel()
	n.mu.Lock()
	defer n.mu.Unlock()
	for tripped := false; ; {
		if p.isDead() {
			return errGhost
		}
		to := n.hosts[name]
		if to == nil {
			return fmt.Errorf("dial %s: there is no host %s", addr, name)
		}
		if !n.passes(p.host, to) {
			tripped = false
			if err := n.await(ctx, p, 0); err != nil {
				return fmt.Errorf("dial %s: %w", addr, err)
			}
			continue
		}
		if tripped {
			if err := meet(to); err != nil {
				return fmt.Errorf("dial %s: %w", addr, err)
			}
			return nil
		}
		tripped = true
		there, _ := n.link(p.host.name, name).streamLatency()
		back, _ := n.link(name, p.host.name).streamLatency()
		if trip := n.arrivalOf(n.now(), there+back) - n.now(); trip > 0 {
			if err := n.await(ctx, p, trip); err != nil {
				return fmt.Errorf("dial %s: %w", addr, err)
			}
		}
	}
}

// await lets go of the network for a time, or, when that is 0, until something
// changes on it. The error is the context's.
func (n *Network) await(ctx context.Context, p *process, d time.Duration) error {
	changed := n.changed
	n.mu.Unlock()
	defer n.mu.Lock()
	var up <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		up, changed = t.C, nil
	}
	select {
	case <-changed:
	case <-up:
	case <-p.dead:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}
