// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/model"
)

// TestPromisesHoldInRandomHistories lets hosts die, return, be wiped and be
// cut off, loses, refuses and repeats messages, and changes leaders, in every
// order. At each step no action may cost a quorum, at most one membership
// change is in flight in a cluster, no NodeID is used twice, and both
// replicas of DrummerDB agree; once the faults stop, every cluster is as
// specified, its members live where they should, and nothing is left over.
func TestPromisesHoldInRandomHistories(t *testing.T) {
	if shrinking := flag.Lookup("rapid.shrinktime"); shrinking.Value.String() == shrinking.DefValue {
		require.NoError(t, shrinking.Value.Set("10s")) // who wants a smaller history says so
	}
	steps := uint64(0)
	defer func() { t.Logf("%d steps", steps) }()
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		defer func() { steps += h.Now }()
		for range rapid.IntRange(20, 300).Draw(t, "steps") {
			h.chaos(t)
			h.stepAndCheck(t)
		}
		h.heal(t)
	})
}

// history is one random history.
type history struct {
	*model.Fleet
	intensity int
	defined   uint64
	wiped     uint64 // the tick at which a disk was lost last
	index     *db.Index
	trouble   []string // what was done to the world, for the failure message
}

func newHistory(t *rapid.T) *history {
	policy := schedule.DefaultPolicy()
	policy.JoinLimit = 20
	policy.BalanceCalm = rapid.SampledFrom([]uint64{5, 50}).Draw(t, "calm")
	policy.FuseHold = 100
	policy.QuarantineCap = 300
	policy.Restarts = rapid.SampledFrom([]int{1, 16}).Draw(t, "restarts")
	policy.OperationsPerHost = rapid.SampledFrom([]int{2, 5, 64}).Draw(t, "per host")
	policy.JoinsPerHost = rapid.SampledFrom([]int{1, 32}).Draw(t, "joins")
	h := &history{Fleet: model.New(policy, rapid.Uint64().Draw(t, "seed")), index: db.NewIndex(policy.TTL)}
	h.JoinTicks = rapid.Uint64Range(0, 6).Draw(t, "join ticks")
	h.NoQuorumChecks = rapid.Bool().Draw(t, "stubborn")
	h.intensity = rapid.IntRange(2, 40).Draw(t, "one trouble in steps")
	for i := range rapid.IntRange(3, 7).Draw(t, "hosts") {
		m := h.AddHost(fmt.Sprintf("h%d", i+1), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "region"))
		m.Labels = map[string]string{"rack": rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "rack")}
	}
	h.ChangeLeader()
	h.define1(t)
	h.Launch()
	return h
}

func (h *history) define1(t *rapid.T) {
	h.defined++
	spec := &pb.ClusterSpec{
		ClusterId:   h.defined,
		Application: "kv",
		Size:        uint32(rapid.IntRange(1, min(5, len(h.Hosts))).Draw(t, "size")),
	}
	h.drawPlaces(t, spec)
	spec.Raft = drawRaft(t)
	h.Define(spec)
}

func drawRaft(t *rapid.T) *pb.RaftConfig {
	return &pb.RaftConfig{
		ElectionRtt: rapid.SampledFrom([]uint64{10, 20, 30}).Draw(t, "election rtt"),
		Quiesce:     rapid.Bool().Draw(t, "quiesce"),
		CheckQuorum: proto.Bool(rapid.IntRange(0, 3).Draw(t, "check quorum") > 0),
	}
}

// drawPlaces says where members should live: what the fleet has hosts for, as
// long as none is missing.
func (h *history) drawPlaces(t *rapid.T, spec *pb.ClusterSpec) {
	spec.SpreadOver = rapid.SampledFrom([]string{"", "", "rack", "region"}).Draw(t, "spread")
	spec.Regions = nil
	left := spec.Size
	for _, region := range []string{"a", "b"} {
		n := uint32(0)
		for _, m := range h.Hosts {
			if m.Region == region {
				n++
			}
		}
		if n = min(n, left, uint32(rapid.IntRange(0, 3).Draw(t, "members in region "+region))); n > 0 {
			if spec.Regions == nil {
				spec.Regions = map[string]uint32{}
			}
			spec.Regions[region] = n
			left -= n
		}
	}
}

func (h *history) did(format string, args ...any) {
	h.trouble = append(h.trouble, fmt.Sprintf("t%d ", h.State.Tick)+fmt.Sprintf(format, args...))
	h.Log = append(h.Log, h.trouble[len(h.trouble)-1])
}

// chaos does something bad, sometimes.
func (h *history) chaos(t *rapid.T) {
	if rapid.IntRange(0, h.intensity).Draw(t, "trouble") != 0 {
		return
	}
	hosts := h.SortedHosts()
	m := rapid.SampledFrom(hosts).Draw(t, "host")
	switch rapid.IntRange(0, 22).Draw(t, "what") {
	case 0, 1, 2:
		h.did("kill %s", m.Name)
		h.Kill(m)
	case 3, 4, 5, 6:
		if !m.Up {
			h.did("boot %s", m.Name)
			h.Boot(m)
		}
	case 7:
		if h.mayLose(m) {
			h.did("wipe %s", m.Name)
			h.Wipe(m)
			h.wiped = h.State.Tick
		}
	case 8:
		h.did("cut %s: %v", m.Name, !m.Cut)
		h.CutOff(m, !m.Cut)
	case 21, 22:
		h.did("gray %s: %v", m.Name, !m.Isolated)
		h.Isolate(m, !m.Isolated)
	case 9:
		h.did("another leader")
		h.ChangeLeader()
	case 10:
		h.did("leaderless: %v", !h.Leaderless)
		h.Leaderless = !h.Leaderless
	case 11:
		h.draws(t)
	case 12:
		if h.defined < 6 {
			h.define1(t)
		}
	case 14, 15:
		mode := rapid.SampledFrom([]pb.HostMode{pb.HostMode_ACTIVE, pb.HostMode_CORDON, pb.HostMode_DRAIN}).Draw(t, "mode")
		h.did("mode of %s: %s", m.ID, mode)
		h.SetMode(m.ID, mode)
	case 16:
		h.resize(t)
	case 19:
		h.update(t, "place", func(spec *pb.ClusterSpec) { h.drawPlaces(t, spec) })
	case 20:
		h.update(t, "configure", func(spec *pb.ClusterSpec) {
			spec.Raft = drawRaft(t)
		})
	case 17:
		h.recreate(t)
	case 18:
		h.did("pause: %v", !h.State.Paused)
		h.Pause(!h.State.Paused, "because")
	case 13:
		for _, n := range m.SortedNodes() {
			if rapid.Bool().Draw(t, "stop node") {
				h.did("stop node %v on %s", n.Key, m.Name)
				n.Running, n.CaughtUp = false, false
			}
		}
	}
}

// resize wants another number of members.
func (h *history) resize(t *rapid.T) {
	h.update(t, "resize", func(spec *pb.ClusterSpec) {
		size := uint32(rapid.IntRange(1, min(5, len(h.Hosts))).Draw(t, "size"))
		if h.State.Tick <= h.wiped+h.Policy.Suspect+1 {
			size = max(size, spec.Size) // as in mayLose
		}
		spec.Size = size
		h.drawPlaces(t, spec)
	})
}

func (h *history) update(t *rapid.T, what string, change func(*pb.ClusterSpec)) {
	c := h.State.Clusters.At(rapid.Uint64Range(1, h.defined).Draw(t, "cluster"))
	if c == nil || c.Spec == nil {
		return
	}
	spec := proto.Clone(c.Spec).(*pb.ClusterSpec)
	change(spec)
	h.did("%s %d: %v", what, c.ID, spec)
	h.Write(&pb.Command{Body: &pb.Command_UpdateClusters{UpdateClusters: &pb.UpdateClusters{Specs: []*pb.ClusterSpec{spec}}}})
}

// recreate deletes a cluster, or defines it again.
func (h *history) recreate(t *rapid.T) {
	id := rapid.Uint64Range(1, h.defined).Draw(t, "cluster")
	_, deleted := h.State.Tombstones.Get(id)
	c := h.State.Clusters.At(id)
	switch {
	case deleted || c != nil && c.Deleted:
		h.did("define %d again", id)
		h.Define(&pb.ClusterSpec{ClusterId: id, Application: "kv", Size: 3})
	case c == nil:
	case c.Spec != nil:
		h.did("delete %d", c.ID)
		h.Delete(c.ID)
	}
}

// draws makes the network and the agents worse, or well again.
func (h *history) draws(t *rapid.T) {
	percent := rapid.SampledFrom([]int{0, 10, 50}).Draw(t, "percent")
	h.did("faults: %d%%", percent)
	fails := func() bool { return rapid.IntRange(0, 99).Draw(t, "fails") < percent }
	h.Faults = model.Faults{
		LoseRequest: fails,
		LoseResult:  fails,
		LoseReport:  fails,
		Result: func(*pb.Operation) pb.ResultCode {
			if !fails() {
				return 0
			}
			return rapid.SampledFrom([]pb.ResultCode{
				pb.ResultCode_REFUSED, pb.ResultCode_FAILED, pb.ResultCode_UNKNOWN}).Draw(t, "result")
		},
	}
}

// mayLose reports whether every cluster could do without a host's disk for
// ever: a majority of its voters keeps theirs, on hosts that Drummer hears of
// and so has no reason to replace just now; and it has not more voters than it
// should, nor a change under way, for Drummer builds on those that it takes to be
// well, and can't know of a disk that was lost a moment ago.
func (h *history) mayLose(lost *model.Host) bool {
	for c := range h.State.Clusters.Values() {
		image := &db.Image{Members: c.Initial}
		if g := h.Groups[c.ID]; g != nil {
			image = g.Image
		}
		kept := 0
		for _, x := range image.Members {
			m, n := h.Hosts[x.Address], c.Node(x.NodeID)
			if db.Voting(x.Role) && m != lost && !m.Cut && !m.Isolated && (n == nil || n.HostID == m.ID) {
				kept++
			}
		}
		if image.Voters() > 0 && kept < db.Quorum(image.Voters()) {
			return false
		}
		if c.Spec != nil && image.HasAddress(lost.Name) && (image.Voters() > int(c.Spec.Size) || c.Config.InFlight()) {
			return false
		}
	}
	return true
}

func (h *history) stepAndCheck(t *rapid.T) {
	h.Fleet.Step()
	h.checkOperations()
	if db.DigestOf(h.State) != db.DigestOf(h.Twin) {
		h.Violate("the replicas of DrummerDB have diverged")
	}
	h.checkIndex()
	h.report(t)
}

// checkIndex makes sure that the index of locations has followed the state.
func (h *history) checkIndex() {
	for id := range h.defined + 2 {
		var want *pb.ClusterLocation
		if c := h.State.Clusters.At(id); c != nil {
			want = h.State.Location(c, h.Policy.TTL)
		}
		if got := h.index.Locate(h.State, id); !proto.Equal(got, want) {
			h.Violate("the index has cluster %d at %v, not at %v", id, got, want)
		}
	}
}

func (h *history) report(t *rapid.T) {
	if len(h.Violations) > 0 {
		t.Fatalf("%s\nhistory:\n%s", strings.Join(h.Violations, "\n"), strings.Join(h.Log, "\n"))
	}
}

func (h *history) checkOperations() {
	changes := map[uint64]uint64{}
	for id, op := range h.State.Operations.All() {
		switch op.Request.Kind {
		case pb.RequestKind_START_NODE, pb.RequestKind_DESTROY_NODE:
		default:
			if other, ok := changes[op.Request.ClusterId]; ok {
				h.Violate("operations %d and %d both change cluster %d", other, id, op.Request.ClusterId)
			}
			changes[op.Request.ClusterId] = id
		}
	}
}

// heal ends all faults and waits for every cluster to be as specified.
func (h *history) heal(t *rapid.T) {
	h.did("heal")
	h.Faults = model.Faults{}
	h.Leaderless = false
	h.Pause(false, "")
	for id := range h.State.Hosts.All() {
		h.SetMode(id, pb.HostMode_ACTIVE)
	}
	for _, m := range h.SortedHosts() {
		m.Cut, m.Isolated = false, false
		if !m.Up {
			h.Boot(m)
		}
	}
	const limit = 2000 // 73 were enough in 700 histories; each step decides twice, and each history that is tried while a failing one is made smaller may come here
	for range limit {
		if h.Settled() {
			return
		}
		h.stepAndCheck(t)
	}
	var waiting []string
	for _, x := range schedule.Decide(h.State, h.Policy, h.Seed).Waiting() {
		waiting = append(waiting, fmt.Sprintf("%d waits for %s", x.ClusterID, x.For))
	}
	t.Fatalf("not settled %d ticks after the faults stopped\n%s\nstray: %s\nmisplaced: %s\nhistory:\n%s",
		limit, strings.Join(waiting, "\n"), h.Strays(), h.Misplaced(), strings.Join(h.Log, "\n"))
}
