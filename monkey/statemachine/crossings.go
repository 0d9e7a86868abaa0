// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"sync/atomic"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// Crossings counts the snapshots of one version that another one reads, in a run: on
// the disk of an upgraded host, or from another host. What on-disk state machines keep
// counts, too. The zero value is ready; it is safe for concurrent use.
type Crossings struct {
	older, newer atomic.Int64
}

// Add counts a snapshot that a version reads, if it is of another one.
func (c *Crossings) Add(of, by int) {
	switch {
	case of < by:
		c.older.Add(1)
	case of > by:
		c.newer.Add(1)
	}
}

// Older counts the snapshots that a later version than their own read.
func (c *Crossings) Older() int64 { return c.older.Load() }

// Newer counts the snapshots that an earlier version than their own read.
func (c *Crossings) Newer() int64 { return c.newer.Load() }

// Watch returns cores like those of newCore, which are of a version, whose snapshots
// are counted.
func (c *Crossings) Watch(v kv.Version, newCore NewCore) NewCore {
	return func(clusterID, nodeID uint64) Core {
		return &crossing{Core: newCore(clusterID, nodeID), version: v, counts: c}
	}
}

// crossing is a core whose snapshots are counted.
type crossing struct {
	Core
	version kv.Version
	counts  *Crossings
}

// Restore implements Core.
func (x *crossing) Restore(image *kv.Image) {
	x.counts.Add(int(image.Version()), int(x.version))
	x.Core.Restore(image)
}
