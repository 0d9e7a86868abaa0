// SPDX-License-Identifier: Apache-2.0

package db

import (
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
)

// repacked is a cluster after it was packed and unpacked.
func repacked(t *testing.T, c *Cluster) *Cluster {
	const index = 1000
	p := newPacker(index)
	require.NoError(t, p.cluster(c))
	var out *Cluster
	require.NoError(t, newUnpacker(index).clusters(p.take(), func(c *Cluster) { out = c }))
	return out
}

// Every field of a cluster, and of all that it consists of, survives being packed: one
// that is added and forgotten there fails here.
func TestNothingOfAClusterIsLostWhenItIsPacked(t *testing.T) {
	c := new(filler).cluster(t)
	got := repacked(t, c)
	require.True(t, proto.Equal(c.Spec, got.Spec), "%v", got.Spec)
	got.Spec = c.Spec
	require.Equal(t, c, got)

	// and with everything as usual
	c.Nodes[0].ID, c.Nodes[0].Address = c.Image.Members[0].NodeID, c.Image.Members[0].Address
	c.Replicas[0] = Replica{NodeID: c.Nodes[0].ID, HostID: c.Nodes[0].HostID, CCID: c.Image.CCID,
		Reported: Reported{Leader: c.Leader, Term: c.LeaderTerm, RaftDigest: c.RaftDigest}}
	got = repacked(t, c)
	got.Spec = c.Spec
	require.Equal(t, c, got)
}

// Whatever the bytes, there is an error or a cluster, and no more memory than they
// account for.
func TestUnpackingAcceptsAnyBytes(t *testing.T) {
	huge := []byte{1, packedImage, 1, 1, 1, 3, 0xff, 0xff, 0xff, 0xff, 0x0f}
	require.ErrorContains(t, newUnpacker(1).clusters(huge, func(*Cluster) {}), "announces more")
	require.ErrorContains(t, newUnpacker(1).clusters([]byte{0, 0, 1, 1, 1, 0, 0}, func(*Cluster) {}), "out of order")
	require.ErrorContains(t, newUnpacker(1).clusters([]byte{1, packedSpec, 9}, func(*Cluster) {}), "not there")
	require.ErrorContains(t, newUnpacker(1).clusters([]byte{1, 0, 1}, func(*Cluster) {}), "ends")
}
