// SPDX-License-Identifier: Apache-2.0

package db

import (
	"bytes"
	"crypto/sha256"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// reseal appends the digest that the bytes should have.
func reseal(data []byte) []byte {
	sum := sha256.Sum256(data)
	return append(bytes.Clone(data), sum[:]...)
}

func savedState(t testing.TB) (*State, []byte) {
	s := NewState()
	for i, cmd := range frames(seeds(t)) {
		var r *pb.CommandResult
		s, r = Apply(s, uint64(i+1), cmd)
		require.Equal(t, pb.CommandCode_APPLIED, r.Code, "command %d: %s", i, r.Detail)
	}
	var saved bytes.Buffer
	require.NoError(t, WriteSnapshot(s, &saved))
	return s, saved.Bytes()
}

func TestASnapshotRestoresTheSameDigest(t *testing.T) {
	s, saved := savedState(t)
	restored, err := ReadSnapshot(bytes.NewReader(saved))
	require.NoError(t, err)
	require.Equal(t, DigestOf(s), DigestOf(restored))
	require.NoError(t, restored.Check())
	require.NotZero(t, restored.Operations.Len())
	require.NotZero(t, restored.Hosts.At("A").Replicas.Len())
	checkRestores(t, s)
}

func TestADamagedSnapshotIsRefused(t *testing.T) {
	_, saved := savedState(t)
	for i := range saved {
		damaged := bytes.Clone(saved)
		damaged[i] ^= 0x10
		_, err := ReadSnapshot(bytes.NewReader(damaged))
		require.Error(t, err, "byte %d", i)
		_, err = ReadSnapshot(bytes.NewReader(saved[:i]))
		require.Error(t, err, "cut at %d", i)
	}
}

func TestASnapshotOfAnotherFormatIsRefusedByName(t *testing.T) {
	_, saved := savedState(t)
	saved[7] = 99
	_, err := ReadSnapshot(bytes.NewReader(saved))
	require.ErrorContains(t, err, "format 99")
}

// Format 4 added to nodes what format 3 does not have, and changed nothing else.
func TestASnapshotOfTheFormatBeforeIsRead(t *testing.T) {
	_, saved := savedState(t)
	s, err := ReadSnapshot(bytes.NewReader(saved))
	require.NoError(t, err)
	for _, c := range s.Clusters.All() {
		for i := range c.Nodes {
			c.Nodes[i].Stops, c.Nodes[i].RanSince = 0, 0
		}
	}
	var b bytes.Buffer
	require.NoError(t, WriteSnapshot(s, &b))
	old := b.Bytes()[:b.Len()-sha256.Size]
	old[7] = 3
	read, err := ReadSnapshot(bytes.NewReader(reseal(old)))
	require.NoError(t, err)
	require.Equal(t, DigestOf(s), DigestOf(read))
}

func TestASnapshotThatContradictsItselfIsRefused(t *testing.T) {
	s, _ := savedState(t)
	// an operation in flight that belongs to no attempt
	bad := *s
	bad.Operations = bad.Operations.Set(1000, &pb.Operation{Id: 1000, Request: &pb.Request{ClusterId: 1}})
	bad.NextOperationID = 1001
	var saved bytes.Buffer
	require.NoError(t, WriteSnapshot(&bad, &saved))
	_, err := ReadSnapshot(&saved)
	require.ErrorContains(t, err, "contradicts itself")
}

func TestTheSameFactsHaveTheSameBytesHoweverTheyArrived(t *testing.T) {
	spec := func(regions ...string) []byte {
		m := map[string]uint32{}
		for _, r := range regions {
			m[r] = 1
		}
		data, err := proto.Marshal(&pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{
			Specs: []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: 9, Regions: m}}}}})
		require.NoError(t, err)
		return data
	}
	want := Digest{}
	for range 20 { // protobuf writes maps in a random order
		s, _ := Apply(NewState(), 1, spec("a", "b", "c", "d", "e", "f"))
		if want == (Digest{}) {
			want = DigestOf(s)
		}
		require.Equal(t, want, DigestOf(s))
	}
}
