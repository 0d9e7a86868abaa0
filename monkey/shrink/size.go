// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Size counts what a scenario has of everything that can be removed.
type Size struct {
	Faults     int           `json:"faults"` // injections; one for an entry whose injections are drawn
	Actions    int           `json:"actions"`
	Operations int           `json:"operations"` // 0: they are drawn
	Clusters   int           `json:"clusters"`
	Members    int           `json:"members"` // of each cluster
	NodeHosts  int           `json:"nodehosts"`
	Drummers   int           `json:"drummers"`
	Clients    int           `json:"clients"`
	Settings   int           `json:"settings"` // other fields that differ from their defaults
	Length     time.Duration `json:"length_ns"`
}

// SizeOf counts.
func SizeOf(s *scenarios.Scenario) Size {
	size := Size{Actions: len(s.Actions), Operations: len(s.Workload.Operations),
		Clusters: s.Clusters.Count, Members: s.Clusters.Size, NodeHosts: s.Deployment.NodeHosts, Drummers: s.Deployment.Drummers,
		Clients: s.Workload.Clients, Settings: len(removable(s)), Length: (s.Warmup + s.Duration).D()}
	for _, l := range s.Leaves() {
		size.Faults += max(1, len(l.Entry.Fault.At))
	}
	return size
}
