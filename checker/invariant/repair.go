// SPDX-License-Identifier: Apache-2.0

package invariant

// Liveness: after healing every cluster answered a write and a read.
func Liveness(f *Facts) Finding {
	j := judgement{name: NameLiveness}
	if f.Probes == nil || len(f.Clusters) == 0 {
		j.inconclusive("clusters and probes have to be recorded")
		return j.finding("")
	}
	answered := make(map[uint64]map[string]bool)
	slowest := int64(0)
	for _, p := range f.Probes {
		if answered[p.Cluster] == nil {
			answered[p.Cluster] = make(map[string]bool)
		}
		answered[p.Cluster][p.Kind] = answered[p.Cluster][p.Kind] || p.OK
		if !p.OK {
			j.violation("cluster %d did not answer a %s within %s: %s", p.Cluster, p.Kind, seconds(p.Took), p.Error)
		}
		slowest = max(slowest, p.Took)
	}
	for _, c := range f.Clusters {
		for _, kind := range []string{"write", "read"} {
			if _, asked := answered[c.Cluster][kind]; !asked {
				j.inconclusive("cluster %d was not asked for a %s", c.Cluster, kind)
			}
		}
	}
	return j.finding("%d clusters answered a write and a read, the slowest after %s", len(f.Clusters), seconds(slowest))
}

// RepairTime: every member that was lost for good was replaced within the
// limit.
func RepairTime(f *Facts, l Limits) Finding {
	j := judgement{name: NameRepair}
	if f.Repairs == nil {
		j.inconclusive("repairs were not recorded")
		return j.finding("")
	}
	longest := int64(0)
	for _, r := range f.Repairs {
		if r.RepairedAt == 0 {
			j.violation("cluster %d never got a replacement for node %d, lost at %s", r.Cluster, r.Node, seconds(r.LostAt))
			continue
		}
		took := r.RepairedAt - r.LostAt
		longest = max(longest, took)
		if took < 0 {
			j.inconclusive("cluster %d: node %d was replaced at %s, before it was lost at %s", r.Cluster, r.Node, seconds(r.RepairedAt), seconds(r.LostAt))
		}
		if l.MaxRepair > 0 && took > l.MaxRepair {
			j.violation("cluster %d took %s to replace node %d; the limit is %s", r.Cluster, seconds(took), r.Node, seconds(l.MaxRepair))
		}
	}
	return j.finding("%d members were replaced, the slowest after %s", len(f.Repairs), seconds(longest))
}
