// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

// requestsSettings bound what Drummer may ask for. The defaults leave room for
// requests whose answers are lost.
type requestsSettings struct {
	MaxRepeats int `key:"max_repeats" default:"10" min:"1" max:"1000000" doc:"A request is made so many times at most, and once more for each time that its NodeHost came or went, or that a fault ended the process of the host that fared worst."`
	MaxSpare   int `key:"max_spare_members" default:"10" max:"1000000" doc:"A cluster gets so many new members at most beyond one for each time that a NodeHost came or went, and those that an operator asked for."`
}

var needRequests = Need{"what Drummer asked for", func(f *Facts) bool { return f.Requests != nil }}

var _ = define(Check{
	Key:     "requests",
	Name:    "Drummer's requests",
	Doc:     "Drummer asks for nothing again and again: what it asks of NodeHosts is bounded by how often they came and went, and by what its operator wanted.",
	Needs:   []Need{needRequests},
	Applies: func(f *Facts) bool { return !f.Static },
}, judgeRequests)

func judgeRequests(j *judgement, f *Facts, s *requestsSettings) string {
	r := f.Requests
	if len(r.Asked) == 0 {
		j.inconclusive("Drummer was not seen to ask for anything")
	}
	all, most, added := 0, 0, make(map[uint64]int)
	for _, a := range r.Asked {
		all, most = all+a.Times, max(most, a.Times)
		if limit := s.MaxRepeats + r.Turns[a.NodeHost] + r.Crashes; a.Times > limit && !r.Uncounted {
			j.violation("Drummer asked %s %d times for %s of node %d of cluster %d; at most %d times were to be expected, as that NodeHost came or went %d times, and no process was ended more than %d times",
				a.NodeHost, a.Times, a.Kind, a.Node, a.Cluster, limit, r.Turns[a.NodeHost], r.Crashes)
		}
		if a.Kind == r.Adding {
			added[a.Cluster]++
		}
	}
	turns := 0
	for _, n := range r.Turns {
		turns += n
	}
	for _, cluster := range sortedKeys(added) {
		if limit := s.MaxSpare + turns + r.Wanted[cluster]; added[cluster] > limit {
			j.violation("Drummer added %d members to cluster %d, one after the other; at most %d were to be expected, as NodeHosts came or went %d times and an operator asked for %d",
				added[cluster], cluster, limit, turns, r.Wanted[cluster])
		}
	}
	return fmt.Sprintf("%d requests for %d times that a NodeHost came or went, none of them more than %d times", all, turns, most)
}
