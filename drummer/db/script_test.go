// SPDX-License-Identifier: Apache-2.0

package db

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"google.golang.org/protobuf/encoding/prototext"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// TestScripts applies the commands in testdata/db, one a directive: 'apply'
// with a pb.Command as text, 'bytes' with anything, 'show' for the state. A
// new file starts with an empty DrummerDB. Two replicas are kept, and restored
// from a snapshot after each command in turn.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, filepath.Join("..", "..", "testdata", "db"), func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			t.Skip("not a script")
		}
		s := NewState()
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			before := s
			var out string
			switch d.Cmd {
			case "apply":
				cmd := &pb.Command{}
				if err := prototext.Unmarshal([]byte(d.Input), cmd); err != nil {
					d.Fatalf(t, "%v", err)
				}
				data, err := proto.Marshal(cmd)
				if err != nil {
					d.Fatalf(t, "%v", err)
				}
				s, out = applyScripted(s, data)
			case "bytes":
				s, out = applyScripted(s, []byte(d.Input))
			case "show":
				return show(s)
			default:
				d.Fatalf(t, "there is no command %q", d.Cmd)
			}
			checkRestores(t, s)
			if err := s.Check(); err != nil {
				t.Fatal(err)
			}
			return out + newEvents(t, before, s)
		})
	})
}

func applyScripted(s *State, data []byte) (*State, string) {
	next, r := Apply(s, s.Index+1, data)
	out := r.Code.String()
	if r.Detail != "" {
		out += ": " + r.Detail
	}
	if len(r.NeedFullState) > 0 {
		out += fmt.Sprintf(" full state needed of %s", strings.Join(r.NeedFullState, ", "))
	}
	if r.Accepted+r.Dropped > 0 {
		out += fmt.Sprintf(" %d accepted, %d dropped", r.Accepted, r.Dropped)
	}
	return next, out + "\n"
}

func newEvents(t *testing.T, before, after *State) string {
	var b strings.Builder
	for _, ev := range after.EventsAfter(before.NextEventSequence-1, 0) {
		if !slices.ContainsFunc(pb.EventKinds, func(k pb.EventKind) bool { return k.Name == ev.Kind }) {
			t.Errorf("pb.EventKinds does not list kind %q", ev.Kind)
		}
		fmt.Fprintf(&b, "  %s: %s\n", ev.Kind, ev.Text)
	}
	return b.String()
}

func show(s *State) string {
	var b strings.Builder
	fmt.Fprintf(&b, "index=%d tick=%d term=%d deployment=%d launched=%v\n",
		s.Index, s.Tick, s.Term, s.DeploymentID, s.Launched)
	for id, h := range s.Hosts.All() {
		fmt.Fprintf(&b, "host %s at %s seen=%d gone=%v dead=%v placed=%d\n",
			id, h.Address(), s.LastSeen(h), h.Gone, h.Dead, h.Placed)
	}
	for id, c := range s.Clusters.All() {
		fmt.Fprintf(&b, "cluster %d ccid=%d next=%d leader=%d term=%d available=%v: %s\n",
			id, c.Image.CCID, c.NextNodeID, c.Leader, c.LeaderTerm, s.Location(c, 15).Available, &c.Image)
		for _, n := range c.Nodes {
			fmt.Fprintf(&b, "  node %d on %q %s asked=%v started=%v failures=%d\n",
				n.ID, n.HostID, n.Join, n.Asked, n.Started, n.Start.Failures)
		}
		for _, r := range c.Replicas {
			fmt.Fprintf(&b, "  replica %d on %s running=%v zombie=%v\n", r.NodeID, r.HostID, r.Running, c.Zombie(&r))
		}
	}
	for id, t := range s.Tombstones.All() {
		fmt.Fprintf(&b, "tombstone of cluster %d next=%d deleted=%v\n", id, t.NextNodeID, t.Deleted)
	}
	for id, op := range s.Operations.All() {
		fmt.Fprintf(&b, "operation %d until %d: %s\n", id, op.DeadlineTick, Describe(op.Request))
	}
	return b.String()
}
