// SPDX-License-Identifier: Apache-2.0

package db

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db/ordmap"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/raftspec"
)

// filler gives every field of a value a content, by reflection, so that none can be
// forgotten in a test: numbers and texts are all different. Maps and messages are left
// to the test.
type filler struct{ next uint64 }

func (f *filler) fill(t *testing.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.Struct:
		if isMap(v.Type()) {
			return
		}
		for i := range v.NumField() {
			if field := v.Type().Field(i); field.IsExported() {
				f.fill(t, v.Field(i))
			} else {
				require.Equal(t, "changed", field.Name, "an unexported field of %s is not known to this test", v.Type())
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 2, 2))
		f.fill(t, v.Index(0))
		f.fill(t, v.Index(1))
	case reflect.Bool:
		v.SetBool(true)
	case reflect.String:
		f.next++
		v.SetString(fmt.Sprint("text", f.next))
	case reflect.Uint64, reflect.Uint32, reflect.Int:
		f.next++
		v.Set(reflect.ValueOf(f.next).Convert(v.Type()))
	case reflect.Int32:
		v.SetInt(2) // an observer, who joined as one; a host that is cordoned
	case reflect.Pointer:
		require.True(t, v.Type().Implements(reflect.TypeFor[proto.Message]()), "%s", v.Type())
	default:
		t.Fatalf("a field of type %s is not known to this test", v.Type())
	}
}

func isMap(t reflect.Type) bool { return strings.HasSuffix(t.PkgPath(), "/ordmap") }

// cluster is a cluster that has something in every field.
func (f *filler) cluster(t *testing.T) *Cluster {
	c := &Cluster{}
	f.fill(t, reflect.ValueOf(c).Elem())
	c.Spec = &pb.ClusterSpec{ClusterId: c.ID, Application: "kv", Size: 3, Raft: &pb.RaftConfig{ElectionRtt: 20}, Regions: map[string]uint32{"r": 1},
		RequiredLabels: map[string]string{"a": "b"}, PreferredLabels: map[string]string{"c": "d"}, SpreadOver: "rack"}
	require.Equal(t, c.Spec.ProtoReflect().Descriptor().Fields().Len(), 8, "a field of a specification is not in this test")
	c.RaftDigest = raftspec.Digest(c.Spec.Raft)
	c.NextNodeID = c.FirstNodeID + 100
	return c
}

// host is a host that has something in every field, with one node of a cluster and one
// replica, which runs.
func (f *filler) host(t *testing.T, c *Cluster, i int) *Host {
	h := &Host{}
	f.fill(t, reflect.ValueOf(h).Elem())
	id := fmt.Sprint("host", i)
	h.Info = &pb.NodeHostInfo{NodehostId: id, RaftAddress: id + ":1", Region: "r", Labels: map[string]string{"rack": "1"}, Weight: 50}
	h.Placed, h.Running, h.Replicas = 1, 1, ordmap.Map[uint64, int]{}.Set(c.ID, 1)
	c.Nodes[i].HostID, c.Replicas[i].HostID = id, id
	return h
}

// fullState is a state that has something in every field. It can't be, as a whole:
// what it says does not fit together.
func fullState(t *testing.T) *State {
	f := &filler{}
	s := &State{}
	f.fill(t, reflect.ValueOf(s).Elem())
	c := f.cluster(t)
	s.Index = c.ChangedAt + 1000
	gone, here := f.host(t, c, 0), f.host(t, c, 1)
	here.Gone = false
	s.Hosts = s.Hosts.Set(gone.ID(), gone).Set(here.ID(), here)
	s.Addresses = s.Addresses.Set(here.Address(), here.ID())
	s.Clusters = s.Clusters.Set(c.ID, c)
	buried := Tombstone{}
	f.fill(t, reflect.ValueOf(&buried).Elem())
	s.Tombstones = s.Tombstones.Set(c.ID+1, buried)
	s.Operations = s.Operations.Set(7, &pb.Operation{Id: 7, Request: &pb.Request{ClusterId: c.ID}, Reason: "because"})
	s.Events = []*pb.Event{{Sequence: 8, Text: "one"}, {Sequence: 9, Text: "another"}}
	return s
}

// plain is a value in a form that can be compared: maps as lists, messages as text.
func plain(v reflect.Value) any {
	if v.Kind() == reflect.Pointer {
		if m, ok := v.Interface().(proto.Message); ok {
			data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
			return fmt.Sprintf("%x %v", data, err)
		}
		return plain(v.Elem())
	}
	switch v.Kind() {
	case reflect.Struct:
		fields := map[string]any{}
		if isMap(v.Type()) {
			for key, value := range v.MethodByName("All").Call(nil)[0].Seq2() {
				fields[fmt.Sprint(key)] = plain(value)
			}
			return fields
		}
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fields[v.Type().Field(i).Name] = plain(v.Field(i))
			}
		}
		return fields
	case reflect.Slice:
		var list []any
		for i := range v.Len() {
			list = append(list, plain(v.Index(i)))
		}
		return list
	default:
		return v.Interface()
	}
}

// empty lists the fields of a plain value, by path, that have nothing in them.
func empty(path string, x any) (paths []string) {
	switch x := x.(type) {
	case map[string]any:
		if len(x) == 0 {
			return []string{path}
		}
		for name, field := range x {
			paths = append(paths, empty(path+"."+name, field)...)
		}
	case []any:
		if len(x) == 0 {
			return []string{path}
		}
		for i, item := range x {
			paths = append(paths, empty(fmt.Sprint(path, i), item)...)
		}
	default:
		if reflect.ValueOf(x).IsZero() {
			return []string{path}
		}
	}
	return paths
}

// Every field of a state, of a host, of a cluster and of all else survives a snapshot
// and its restore. Both are compared with what went in, so that a field that is added
// and forgotten in saving as well as in restoring fails here, too.
func TestNothingOfAStateIsLostInASnapshot(t *testing.T) {
	s := fullState(t)
	before := plain(reflect.ValueOf(s))
	require.Equal(t, []string{"State.Hosts.host1.Gone"}, empty("State", before), "these have nothing that could be lost")

	var saved bytes.Buffer
	require.NoError(t, WriteSnapshot(s, &saved))
	in := &recordReader{r: bufio.NewReader(&saved), sum: sha256.New()}
	_, err := io.CopyN(io.Discard, in, int64(len(magic)))
	require.NoError(t, err)
	restored, err := readRecords(in)
	require.NoError(t, err)
	require.Equal(t, before, plain(reflect.ValueOf(restored)))
}
