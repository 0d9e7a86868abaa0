// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
)

// Static is the Target of clusters whose members never change.
type Static struct {
	*Remote
	members map[uint64][]Member
}

// NewStatic returns a Target that asks NodeHosts through a client, which the
// caller closes.
func NewStatic(c *client.Client, members map[uint64][]Member) *Static {
	return &Static{Remote: NewRemote(c), members: members}
}

// Locate implements Target.
func (s *Static) Locate(_ context.Context, cluster uint64) ([]Member, error) {
	if len(s.members[cluster]) == 0 {
		return nil, fmt.Errorf("cluster %d has no members", cluster)
	}
	return s.members[cluster], nil
}

// Forget implements Target: what is fixed does not turn out to be wrong.
func (s *Static) Forget(uint64) {}
