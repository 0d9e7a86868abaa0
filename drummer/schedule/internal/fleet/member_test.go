// SPDX-License-Identifier: Apache-2.0

package fleet

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A voter that takes itself for an observer gives no vote, though it follows the leader.
func TestWhoDoesNotKnowOfItsPromotionIsNotSure(t *testing.T) {
	member := func(reported pb.MemberRole) *Member {
		return &Member{
			Member:    db.Member{NodeID: 4, Role: pb.MemberRole_VOTER},
			Host:      &Host{Host: &db.Host{Info: &pb.NodeHostInfo{NodehostId: "h4"}}, Fresh: true},
			Replica:   &db.Replica{Reported: db.Reported{Running: true, Role: reported, Leader: 1, Term: 3}},
			Condition: Live,
			Follows:   true,
		}
	}
	require.True(t, member(pb.MemberRole_VOTER).Sure())
	unaware := member(pb.MemberRole_OBSERVER)
	require.False(t, unaware.Sure())
	require.Equal(t, "node 4 on h4 was promoted and does not know it yet", unaware.Doubt(&db.Cluster{Leader: 1, LeaderTerm: 3}))
}
