// SPDX-License-Identifier: Apache-2.0

package db

import (
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
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
	next := uint64(1)
	var fill func(v reflect.Value)
	fill = func(v reflect.Value) {
		switch v.Kind() {
		case reflect.Struct:
			for i := range v.NumField() {
				fill(v.Field(i))
			}
		case reflect.Slice:
			v.Set(reflect.MakeSlice(v.Type(), 2, 2))
			fill(v.Index(0))
			fill(v.Index(1))
		case reflect.Bool:
			v.SetBool(true)
		case reflect.String:
			v.SetString(string(rune('a' + next)))
			next++
		case reflect.Uint64, reflect.Uint32:
			v.SetUint(next)
			next++
		case reflect.Int32:
			v.SetInt(2) // an observer, who joined as one
		case reflect.Pointer:
			require.Equal(t, reflect.TypeFor[*pb.ClusterSpec](), v.Type())
		default:
			t.Fatalf("a field of type %s is not known to this test", v.Type())
		}
	}
	c := &Cluster{}
	fill(reflect.ValueOf(c).Elem())
	c.Spec = &pb.ClusterSpec{ClusterId: c.ID, Application: "kv", Size: 3, Raft: &pb.RaftConfig{ElectionRtt: 20}, Regions: map[string]uint32{"r": 1},
		RequiredLabels: map[string]string{"a": "b"}, PreferredLabels: map[string]string{"c": "d"}, SpreadOver: "rack"}
	require.Equal(t, c.Spec.ProtoReflect().Descriptor().Fields().Len(), 8, "a field of a specification is not in this test")
	c.RaftDigest = raftspec.Digest(c.Spec.Raft)
	c.NextNodeID = c.FirstNodeID + 100
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
