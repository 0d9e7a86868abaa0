// SPDX-License-Identifier: Apache-2.0

package budget

import (
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
)

// Fuses are those that are blown, in order. They stop replacement when too many
// hosts vanish at once: then the cause is more likely a network, a power supply
// or a mistake than so many broken hosts, and copying all their data to the rest
// could take that down too. What is dead is still started again wherever its
// host returns.
type Fuses []db.Fuse

// of says why a fuse is blown, or nothing when it is whole.
func (f Fuses) of(fuse db.Fuse) string {
	i, blown := slices.BinarySearchFunc(f, fuse, db.Fuse.Compare)
	if !blown {
		return ""
	}
	return fmt.Sprintf("%s: %s", f[i], f[i].Why)
}

// Fuses are those that are blown.
func (b *Budget) Fuses() Fuses { return b.fuses }

// AnyFuse says why some fuse is blown, or nothing when all are whole.
func (b *Budget) AnyFuse() string {
	if len(b.fuses) == 0 {
		return ""
	}
	return b.fuses.of(b.fuses[0])
}

// blownFuses looks at the hosts that vanished within the last FuseHold ticks.
//
// Hosts that vanish together are not all taken for dead at one tick, as their
// last reports were not of one. So once a host is dead, those count, too, that
// have been silent for half of their time to live: what the first ones carry is
// not replaced a moment before the fuse blows.
//
// They do not all return at one tick, either. So a fuse that is blown stays so
// while a host is missing and another one came back within its time to live: what
// the last ones carry is not replaced a moment before they are back.
func blownFuses(f *fleet.Fleet) Fuses {
	if !slices.ContainsFunc(f.Restless, func(h *fleet.Host) bool { return !h.Up }) {
		return nil // as nearly always
	}
	type tally struct{ hosts, dead, vanished, returned int }
	var all tally
	regions := map[string]*tally{}
	for _, h := range f.Hosts {
		if f.Silent(h) >= f.Policy.TTL+f.Policy.FuseHold {
			continue // so long ago that nobody expects it back
		}
		r := regions[h.Region()]
		if r == nil {
			r = &tally{}
			regions[h.Region()] = r
		}
		all.hosts++
		r.hosts++
		switch {
		case !h.Up:
			all.dead++
			r.dead++
			all.vanished++
			r.vanished++
		case 2*f.Silent(h) >= f.Policy.TTL:
			all.vanished++
			r.vanished++
		case h.Deaths > 0 && f.UpFor(h) < f.Policy.TTL:
			all.returned++
			r.returned++
		}
	}
	var blown Fuses
	check := func(fuse db.Fuse, t tally, percent int) {
		_, was := slices.BinarySearchFunc(f.State.Blown, fuse, db.Fuse.Compare)
		tooMany := t.dead > 0 && t.vanished > f.Policy.FuseHosts && t.vanished*100 > t.hosts*percent
		if tooMany || was && t.dead > 0 && t.returned > 0 {
			blown = append(blown, fuse)
		}
	}
	check(db.Fuse{Fleet: true, Why: fmt.Sprintf("%d of %d hosts vanished at once", all.vanished, all.hosts)}, all, f.Policy.FusePercent)
	if len(regions) < 2 {
		return blown
	}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		t := *regions[region]
		check(db.Fuse{Region: region, Why: fmt.Sprintf("%d of its %d hosts vanished at once", t.vanished, t.hosts)}, t, f.Policy.FuseRegionPercent)
	}
	return blown
}

// Blown says why no member of a cluster may be replaced now, or nothing.
func (b *Budget) Blown(c *fleet.Cluster) string {
	if why := b.fuses.of(db.Fuse{Fleet: true}); why != "" {
		return why
	}
	for _, m := range c.Voters {
		if m.Condition == fleet.Dead && m.Host != nil && !m.Host.Up {
			if why := b.fuses.of(db.Fuse{Region: m.Host.Region()}); why != "" {
				return why
			}
		}
	}
	return ""
}
