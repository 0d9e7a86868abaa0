// SPDX-License-Identifier: Apache-2.0

package contract

import (
	"cmp"
	"fmt"
	"sync"
)

// maxUnsaved is how many prepared snapshots may be left without a call of
// SaveSnapshot. A few are: a node that stops, and a stream whose receiver is
// gone, end in between.
const maxUnsaved = 4

// Calls watches the calls that Dragonboat makes of one instance of a state
// machine. Each method is called when a call begins, and what it returns when
// that call ends. It is safe for concurrent use.
type Calls struct {
	kind          Kind
	cluster, node uint64

	mu        sync.Mutex
	opened    bool
	closed    bool
	alone     string // the call at work that no other one may overlap, but reads and saving
	preparing int    // calls of PrepareSnapshot at work, which may overlap each other
	applied   uint64 // index of the last entry, where they have one
	unsaved   int    // snapshots that were prepared since one was last saved
}

// Kind is what Dragonboat promises to a kind of state machine beyond the others.
type Kind int

// The kinds of state machine.
const (
	Regular    Kind = iota // nothing overlaps an update
	Concurrent             // reads and saving do
	OnDisk                 // is opened first, and is told an index never again
)

// Watch returns the Calls of a new instance.
func Watch(kind Kind, cluster, node uint64) *Calls {
	return &Calls{kind: kind, cluster: cluster, node: node}
}

// broken panics with what Dragonboat did.
func (c *Calls) broken(format string, a ...any) {
	panic(fmt.Errorf("cluster %d, node %d: Dragonboat broke the contract of state machines: %s", c.cluster, c.node, fmt.Sprintf(format, a...)))
}

// begin begins a call that no update, recovery or preparation of a snapshot may
// overlap.
func (c *Calls) begin(call string) (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive(call)
	if c.preparing > 0 {
		c.broken("%s was called while PrepareSnapshot was at work", call)
	}
	c.alone = call
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.alone = ""
	}
}

// alive panics where no call may be made, and where a call of its own is at work.
func (c *Calls) alive(call string) {
	switch {
	case c.closed:
		c.broken("%s was called after Close", call)
	case c.kind == OnDisk && !c.opened && call != "Open":
		c.broken("%s was called before Open", call)
	case c.alone != "":
		c.broken("%s was called while %s was at work", call, c.alone)
	}
}

// Open begins a call of Open.
func (c *Calls) Open() (end func(applied uint64)) {
	done := c.begin("Open")
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.opened {
		c.broken("Open was called twice")
	}
	c.opened = true
	return func(applied uint64) {
		c.mu.Lock()
		c.applied = applied
		c.mu.Unlock()
		done()
	}
}

// Update begins a call of Update with the entries from index first to index
// last; 0: it is told no index.
func (c *Calls) Update(first, last uint64) (end func()) {
	done := c.begin("Update")
	c.mu.Lock()
	defer c.mu.Unlock()
	if first == 0 && last == 0 {
		return done
	}
	if first <= c.applied || last < first {
		c.broken("Update was called with entries %d to %d after entry %d", first, last, c.applied)
	}
	c.applied = last
	return done
}

// Prepare begins a call of PrepareSnapshot.
func (c *Calls) Prepare() (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alive("PrepareSnapshot")
	c.unsaved++
	if c.unsaved > maxUnsaved {
		c.broken("PrepareSnapshot was called %d times without a call of SaveSnapshot: what it holds is never released", c.unsaved)
	}
	c.preparing++
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.preparing--
	}
}

// Save begins a call of SaveSnapshot. Updates may overlap it, but for a regular
// state machine's.
func (c *Calls) Save() (end func()) {
	if c.kind == Regular {
		return c.begin("SaveSnapshot")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.broken("SaveSnapshot was called after Close")
	}
	c.unsaved = 0
	return func() {}
}

// Recover begins a call of RecoverFromSnapshot. The snapshot's index is not told;
// what follows it is not compared with what was before.
func (c *Calls) Recover() (end func()) {
	done := c.begin("RecoverFromSnapshot")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.applied = 0
	return done
}

// Sync begins a call of Sync.
func (c *Calls) Sync() (end func()) { return c.begin("Sync") }

// Close is told of the call of Close.
func (c *Calls) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		c.broken("Close was called twice")
	}
	if c.alone != "" || c.preparing > 0 {
		c.broken("Close was called while %s was at work", cmp.Or(c.alone, "PrepareSnapshot"))
	}
	c.closed = true
}
