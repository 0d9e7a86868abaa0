// SPDX-License-Identifier: Apache-2.0

package db

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// Each field of a report is news when it changes, and survives a snapshot: a field
// that is added to the message and forgotten in Reported fails here.
func TestNothingThatIsReportedIsLost(t *testing.T) {
	elsewhere := map[protoreflect.Name]bool{"cluster_id": true, "node_id": true, "membership": true}
	base := &pb.NodeReport{Running: true, Role: pb.MemberRole_OBSERVER, LeaderId: 1, Term: 2}
	fields := base.ProtoReflect().Descriptor().Fields()
	for i := range fields.Len() {
		field := fields.Get(i)
		if elsewhere[field.Name()] {
			continue
		}
		changed := proto.Clone(base).(*pb.NodeReport)
		message := changed.ProtoReflect()
		switch field.Kind() {
		case protoreflect.BoolKind:
			message.Set(field, protoreflect.ValueOfBool(!message.Get(field).Bool()))
		case protoreflect.Uint64Kind:
			message.Set(field, protoreflect.ValueOfUint64(message.Get(field).Uint()+1))
		case protoreflect.EnumKind:
			message.Set(field, protoreflect.ValueOfEnum(protoreflect.EnumNumber(pb.MemberRole_VOTER)))
		default:
			t.Fatalf("%s is of a kind that this test does not know", field.Name())
		}
		was, is := ReportedBy(base, Version), ReportedBy(changed, Version)
		require.NotEqual(t, was, is, "%s makes no difference", field.Name())
		replica := Replica{NodeID: 3, HostID: "h", Reported: is, Foreign: true, CCID: 4, Destroy: Attempt{Operation: 5, Failures: 6, Ended: 7}}
		require.Equal(t, replica, repacked(t, &Cluster{ID: 1, FirstNodeID: 1, NextNodeID: 9, RaftDigest: raftspec.Digest(nil), Replicas: []Replica{replica}}).Replicas[0],
			"%s is lost in a snapshot", field.Name())
	}
}

// What a report can't mean is not recorded, so that it is not news again and again.
func TestANodeThatDoesNotRunFollowsNobody(t *testing.T) {
	full := &pb.NodeReport{Role: pb.MemberRole_VOTER, CaughtUp: true, LeaderId: 1, Term: 2, RaftDigest: 3}
	require.Equal(t, Reported{Role: pb.MemberRole_VOTER}, ReportedBy(full, Version))
	require.Equal(t, Reported{Running: true}, ReportedBy(&pb.NodeReport{Running: true, Term: 2}, Version), "a term without a leader")
	full.Running = true
	require.Zero(t, ReportedBy(full, digestsSince-1).RaftDigest)
}
