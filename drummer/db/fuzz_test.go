// SPDX-License-Identifier: Apache-2.0

package db

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// seeds are commands that between them reach every branch a valid history
// reaches, framed as FuzzApply reads them.
func seeds(t testing.TB) []byte {
	host := func(id, address string) *pb.HostReport {
		return &pb.HostReport{Full: true, Host: &pb.NodeHostInfo{NodehostId: id, RaftAddress: address}}
	}
	members := map[uint64]string{1: "a", 2: "b", 3: "c"}
	start := func(node uint64, id string) *pb.Operation {
		return &pb.Operation{DeadlineTick: 9, Request: &pb.Request{Kind: pb.RequestKind_START_NODE,
			ClusterId: 1, NodeId: node, NodehostId: id, Join: pb.JoinMode_INITIAL, InitialMembers: members}}
	}
	running := &pb.NodeReport{ClusterId: 1, NodeId: 1, Running: true, Role: pb.MemberRole_VOTER, LeaderId: 1, Term: 2,
		Membership: &pb.Membership{ConfigChangeId: 3, Voters: members}}
	var out []byte
	for _, cmd := range []*pb.Command{
		setDeployment(7),
		{Body: &pb.Command_TakeLeadership{TakeLeadership: &pb.TakeLeadership{Term: 1, ServerNodeId: 1}}},
		{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: []*pb.ClusterSpec{
			{ClusterId: 1, Application: "kv", Size: 3, Regions: map[string]uint32{"r": 1}}}}}},
		{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}},
		{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 1, Reports: []*pb.HostReport{
			host("A", "a"), host("B", "b"), host("C", "c"), host("D", "d")}}}},
		{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 1, Heard: []string{"A", "B", "X"}}}},
		{Body: &pb.Command_Schedule{Schedule: &pb.Schedule{Term: 1, DecidedAtIndex: 6,
			Operations: []*pb.Operation{start(1, "A"), start(2, "B"), start(3, "C")}}}},
		{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 1, Reports: []*pb.HostReport{
			{Host: &pb.NodeHostInfo{NodehostId: "A"}, Nodes: []*pb.NodeReport{running}}}}}},
		{Body: &pb.Command_EndOperation{EndOperation: &pb.EndOperation{Term: 1, Result: &pb.RequestResult{
			OperationId: 2, Code: pb.ResultCode_FAILED, Detail: "no"}}}},
		{Body: &pb.Command_Schedule{Schedule: &pb.Schedule{Term: 1, DecidedAtIndex: 9, Operations: []*pb.Operation{
			{DeadlineTick: 9, Request: &pb.Request{Kind: pb.RequestKind_ADD_OBSERVER, ClusterId: 1, NodeId: 4,
				ConfigChangeId: 3, TargetAddress: "d", NodehostId: "A"}}}}}},
		{Body: &pb.Command_EndOperation{EndOperation: &pb.EndOperation{Term: 1, Result: &pb.RequestResult{
			OperationId: 4, Code: pb.ResultCode_DONE, Membership: &pb.Membership{ConfigChangeId: 4, Voters: members,
				Observers: map[uint64]string{4: "d"}}}}}},
		{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 1, Reports: []*pb.HostReport{host("E", "c")}}}},
	} {
		out = frame(out, encode(t, cmd))
	}
	return out
}

// fuseSeeds are commands that came with version 2.
func fuseSeeds(t testing.TB) []byte {
	blown := &pb.SetFuses{Term: 1, Blown: []*pb.Fuse{{Fleet: true, Why: "4 of 8"}, {Region: "r", Why: "3 of 3"}}}
	var out []byte
	for _, cmd := range []*pb.Command{
		{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: 2}}},
		{Body: &pb.Command_SetFuses{SetFuses: blown}},
		{Body: &pb.Command_SetFuses{SetFuses: &pb.SetFuses{Term: 1, Blown: blown.Blown[1:]}}},
	} {
		out = frame(out, encode(t, cmd))
	}
	return out
}

func frame(out, data []byte) []byte {
	return append(binary.AppendUvarint(out, uint64(len(data))), data...)
}

// frames splits bytes into commands.
func frames(data []byte) [][]byte {
	var out [][]byte
	for len(data) > 0 && len(out) < 64 {
		size, n := binary.Uvarint(data)
		if n <= 0 {
			return append(out, data)
		}
		data = data[n:]
		size = min(size, uint64(len(data)))
		out = append(out, data[:size])
		data = data[size:]
	}
	return out
}

// FuzzApply feeds two replicas the same bytes: neither panics, they do not
// diverge, the invariants hold, and a snapshot restores the same state.
func FuzzApply(f *testing.F) {
	f.Add(seeds(f))
	f.Add(append(seeds(f), fuseSeeds(f)...))
	f.Add([]byte{3, 1, 2, 3})
	f.Fuzz(func(t *testing.T, data []byte) { applyBoth(t, frames(data)) })
}

func applyBoth(t *testing.T, commands [][]byte) {
	a, b := NewState(), NewState()
	middle, middleDigest := a, DigestOf(a)
	for i, cmd := range commands {
		if i == len(commands)/2 {
			middle, middleDigest = a, DigestOf(a)
		}
		var resultA, resultB *pb.CommandResult
		a, resultA = Apply(a, uint64(i+1), cmd)
		b, resultB = Apply(b, uint64(i+1), bytes.Clone(cmd))
		if !proto.Equal(resultA, resultB) {
			t.Fatalf("command %d: one replica says %v, the other %v", i, resultA, resultB)
		}
		if err := a.Check(); err != nil {
			t.Fatalf("after command %d: %v", i, err)
		}
	}
	if DigestOf(middle) != middleDigest {
		t.Fatal("a published state was changed by later commands")
	}
	if checkRestores(t, a) != DigestOf(b) {
		t.Fatal("two replicas have diverged")
	}
}

// checkRestores restores a state from its snapshot, makes sure that it is the
// same bit for bit, and returns its digest.
func checkRestores(t *testing.T, s *State) (digest Digest) {
	var saved bytes.Buffer
	if err := WriteSnapshot(s, &saved); err != nil {
		t.Fatalf("the state can't be saved: %v", err)
	}
	restored, err := ReadSnapshot(bytes.NewReader(saved.Bytes()))
	if err != nil {
		t.Fatalf("the state can't be restored: %v", err)
	}
	var again bytes.Buffer
	if err := WriteSnapshot(restored, &again); err != nil || !bytes.Equal(saved.Bytes(), again.Bytes()) {
		t.Fatalf("the snapshot of the restored state differs from the first (%v)", err)
	}
	copy(digest[:], saved.Bytes()[saved.Len()-len(digest):]) // it ends with it
	return digest
}

// FuzzMutatedHistories applies a valid history whose commands are changed,
// repeated, left out and swapped at random.
func FuzzMutatedHistories(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Add(uint64(758), uint64(239)) // a membership was reported of a deleted cluster
	f.Add(uint64(410), uint64(18))  // a member was first seen at tick 0
	f.Fuzz(func(t *testing.T, s1, s2 uint64) {
		random := rand.New(rand.NewPCG(s1, s2))
		var commands [][]byte
		for range 3 {
			for _, cmd := range frames(seeds(t)) {
				commands = append(commands, mutate(random, cmd)...)
			}
		}
		for range random.IntN(8) {
			i, j := random.IntN(len(commands)), random.IntN(len(commands))
			commands[i], commands[j] = commands[j], commands[i]
		}
		applyBoth(t, commands)
	})
}

func mutate(random *rand.Rand, cmd []byte) [][]byte {
	changed := bytes.Clone(cmd)
	switch random.IntN(6) {
	case 0:
		for range 1 + random.IntN(3) {
			changed[random.IntN(len(changed))] ^= byte(1 << random.IntN(8))
		}
	case 1:
		changed = changed[:random.IntN(len(changed))]
	case 2:
		return [][]byte{cmd, cmd}
	}
	return [][]byte{changed}
}

// FuzzReadSnapshot reads hostile bytes: an error, or a state that is sound
// and is written as the same bytes again.
func FuzzReadSnapshot(f *testing.F) {
	s := NewState()
	for i, cmd := range frames(append(seeds(f), fuseSeeds(f)...)) {
		s, _ = Apply(s, uint64(i+1), cmd)
	}
	var saved bytes.Buffer
	if err := WriteSnapshot(s, &saved); err != nil {
		f.Fatal(err)
	}
	f.Add(saved.Bytes())
	f.Add(magic[:])
	f.Fuzz(func(t *testing.T, data []byte) {
		readHostile(t, data)
		// the digest keeps most changes out, so try again with a right one
		if len(data) > len(Digest{}) {
			readHostile(t, reseal(data[:len(data)-len(Digest{})]))
		}
	})
}

func readHostile(t *testing.T, data []byte) {
	s, err := ReadSnapshot(bytes.NewReader(data))
	if err != nil {
		return
	}
	if err := s.Check(); err != nil {
		t.Fatalf("an unsound state was restored: %v", err)
	}
	checkRestores(t, s)
	for i, cmd := range frames(seeds(t)) {
		s, _ = Apply(s, s.Index+uint64(i)+1, cmd)
	}
}
