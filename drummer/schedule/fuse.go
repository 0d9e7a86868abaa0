// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"maps"
	"slices"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
)

// fuses are those that are blown, in order. They stop replacement when too many
// hosts vanish at once: then the cause is more likely a network, a power supply
// or a mistake than so many broken hosts, and copying all their data to the rest
// could take that down too. What is dead is still started again wherever its
// host returns.
type fuses []db.Fuse

// of says why a fuse is blown, or nothing when it is whole.
func (f fuses) of(fuse db.Fuse) string {
	i, blown := slices.BinarySearchFunc(f, fuse, db.Fuse.Compare)
	if !blown {
		return ""
	}
	return fmt.Sprintf("%s: %s", f[i], f[i].Why)
}

// any says why some fuse is blown, or nothing when all are whole.
func (f fuses) any() string {
	if len(f) == 0 {
		return ""
	}
	return f.of(f[0])
}

// checkFuses looks at the hosts that vanished within the last FuseHold ticks.
func (f *fleet) checkFuses() fuses {
	type tally struct{ hosts, vanished int }
	var all tally
	regions := map[string]*tally{}
	for _, h := range f.order {
		silent := f.state.Tick - h.LastSeen
		if silent >= f.policy.TTL+f.policy.FuseHold {
			continue // so long ago that nobody expects it back
		}
		r := regions[h.Region()]
		if r == nil {
			r = &tally{}
			regions[h.Region()] = r
		}
		all.hosts++
		r.hosts++
		if !h.up {
			all.vanished++
			r.vanished++
		}
	}
	var blown fuses
	tooMany := func(t tally, percent int) bool {
		return t.vanished > f.policy.FuseHosts && t.vanished*100 > t.hosts*percent
	}
	if tooMany(all, f.policy.FusePercent) {
		blown = append(blown, db.Fuse{Fleet: true, Why: fmt.Sprintf("%d of %d hosts vanished at once", all.vanished, all.hosts)})
	}
	if len(regions) < 2 {
		return blown
	}
	for _, region := range slices.Sorted(maps.Keys(regions)) {
		if t := regions[region]; tooMany(*t, f.policy.FuseRegionPercent) {
			blown = append(blown, db.Fuse{Region: region, Why: fmt.Sprintf("%d of its %d hosts vanished at once", t.vanished, t.hosts)})
		}
	}
	return blown
}

// blown returns why no member of a cluster may be replaced now, or an empty string.
func (f *fleet) blown(a *assessment) string {
	if why := f.fuses.of(db.Fuse{Fleet: true}); why != "" {
		return why
	}
	for _, m := range a.voters {
		if m.is == dead && m.host != nil && !m.host.up {
			if why := f.fuses.of(db.Fuse{Region: m.host.Region()}); why != "" {
				return why
			}
		}
	}
	return ""
}
