// SPDX-License-Identifier: Apache-2.0

package simdisk

// Copy is what a disk held at a moment, as a backup keeps it.
type Copy struct{ root *node }

// Copy copies what a power loss would have left, and nothing that was not synced: a
// point that any process must be able to start from. It shares all data with the disk
// until one of them is written to.
func (d *Disk) Copy() *Copy {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.mounted == nil {
		return &Copy{copied{}.durable(d.root, newTear(nil))}
	}
	m := d.mounted
	m.mu.Lock()
	defer m.mu.Unlock()
	return &Copy{copied{}.durable(m.root, newTear(nil))}
}

// Restore makes the disk what it was when it was copied, all of it synced, and ends the
// incarnation if there is one. A copy can be restored any number of times.
func (d *Disk) Restore(c *Copy) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.take(func(*node) (*node, Effect) { return copied{}.durable(c.root, newTear(nil)), Effect{} })
}
