// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"strings"
)

var _ = define(Check{
	Key:          "answers",
	Name:         "liveness after healing",
	Doc:          "After healing every cluster answers a write and a read, and each of its members a read that goes to it alone.",
	Needs:        []Need{needClusters, needProbes},
	AfterHealing: true,
}, judgeAnswers)

// membersOf says what the members of a cluster held, if that was recorded.
func membersOf(f *Facts, cluster uint64) string {
	var parts []string
	for _, m := range f.Members {
		if m.Cluster == cluster {
			parts = append(parts, m.String())
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return "; " + strings.Join(parts, "; ")
}

func judgeAnswers(j *judgement, f *Facts, _ *noSettings) string {
	answered := make(map[uint64]map[string]bool)
	slowest := int64(0)
	for _, p := range f.Probes {
		if answered[p.Cluster] == nil {
			answered[p.Cluster] = make(map[string]bool)
		}
		if p.Host == "" {
			answered[p.Cluster][p.Kind] = answered[p.Cluster][p.Kind] || p.OK
		}
		if !p.OK {
			at := ""
			if p.Host != "" {
				at = " at " + p.Host
			}
			j.violation("cluster %d did not answer a %s%s within %s: %s", p.Cluster, p.Kind, at, seconds(p.Took), p.Error+membersOf(f, p.Cluster))
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
	each := ""
	if f.ReadMembers > 0 {
		each = fmt.Sprintf(", and %d members a read each", f.ReadMembers)
	}
	return fmt.Sprintf("%d clusters answered a write and a read%s, the slowest after %s", len(f.Clusters), each, seconds(slowest))
}
