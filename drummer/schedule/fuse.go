// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"maps"
	"slices"
)

// fuses stop replacement when too many hosts vanish at once: then the cause
// is more likely a network, a power supply or a mistake than so many broken
// hosts, and copying all their data to the rest could take that down too.
// What is dead is still started again wherever its host returns.
type fuses struct {
	fleet   string            // why, when the whole fleet's is blown
	regions map[string]string // by region
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
		blown.fleet = fmt.Sprintf("the fuse: %d of %d hosts vanished at once", all.vanished, all.hosts)
	}
	if len(regions) > 1 {
		for region, t := range regions {
			if tooMany(*t, f.policy.FuseRegionPercent) {
				if blown.regions == nil {
					blown.regions = map[string]string{}
				}
				blown.regions[region] = fmt.Sprintf("the fuse of region %q: %d of its %d hosts vanished at once",
					region, t.vanished, t.hosts)
			}
		}
	}
	return blown
}

// any returns why some fuse is blown, or an empty string.
func (f *fuses) any() string {
	if f.fleet != "" || len(f.regions) == 0 {
		return f.fleet
	}
	return f.regions[slices.Min(slices.Collect(maps.Keys(f.regions)))]
}

// blown returns why no member of a cluster may be replaced now, or an empty string.
func (f *fleet) blown(a *assessment) string {
	if f.fuses.fleet != "" {
		return f.fuses.fleet
	}
	for _, m := range a.voters {
		if m.is == dead && m.host != nil && !m.host.up {
			if why := f.fuses.regions[m.host.Region()]; why != "" {
				return why
			}
		}
	}
	return ""
}
