// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// TestPromisesHoldInRandomHistories lets hosts die, return, be wiped and be
// cut off, loses, refuses and repeats messages, and changes leaders, in every
// order. At each step no action may cost a quorum, at most one membership
// change is in flight in a cluster, no NodeID is used twice, and both
// replicas of DrummerDB agree; once the faults stop, every cluster is as
// specified, its members live where they should, and nothing is left over.
func TestPromisesHoldInRandomHistories(t *testing.T) {
	steps := uint64(0)
	defer func() { t.Logf("%d steps", steps) }()
	rapid.Check(t, func(t *rapid.T) {
		h := newHistory(t)
		defer func() { steps += h.now }()
		for range rapid.IntRange(20, 300).Draw(t, "steps") {
			h.chaos(t)
			h.step(t)
		}
		h.heal(t)
	})
}

// history is one random history.
type history struct {
	*world
	intensity int
	defined   uint64
	wiped     uint64   // the tick at which a disk was lost last
	trouble   []string // what was done to the world, for the failure message
}

func newHistory(t *rapid.T) *history {
	policy := DefaultPolicy()
	policy.JoinLimit = 20
	policy.BalanceCalm = rapid.SampledFrom([]uint64{5, 50}).Draw(t, "calm")
	policy.FuseHold = 100
	policy.QuarantineCap = 300
	policy.Restarts = rapid.SampledFrom([]int{1, 16}).Draw(t, "restarts")
	policy.OperationsPerHost = rapid.SampledFrom([]int{2, 5, 64}).Draw(t, "per host")
	policy.JoinsPerHost = rapid.SampledFrom([]int{1, 32}).Draw(t, "joins")
	h := &history{world: newWorld(policy, rapid.Uint64().Draw(t, "seed"))}
	h.joinTicks = rapid.Uint64Range(0, 6).Draw(t, "join ticks")
	h.stubborn = rapid.Bool().Draw(t, "stubborn")
	h.intensity = rapid.IntRange(2, 40).Draw(t, "one trouble in steps")
	for i := range rapid.IntRange(3, 7).Draw(t, "hosts") {
		m := h.addHost(fmt.Sprintf("h%d", i+1), rapid.SampledFrom([]string{"a", "b"}).Draw(t, "region"))
		m.labels = map[string]string{"rack": rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "rack")}
	}
	h.lead()
	h.define1(t)
	h.launch()
	return h
}

func (h *history) define1(t *rapid.T) {
	h.defined++
	spec := &pb.ClusterSpec{
		ClusterId:   h.defined,
		Application: "kv",
		Size:        uint32(rapid.IntRange(1, min(5, len(h.hosts))).Draw(t, "size")),
	}
	h.drawPlaces(t, spec)
	spec.Raft = drawRaft(t)
	h.define(spec)
}

func drawRaft(t *rapid.T) *pb.RaftConfig {
	return &pb.RaftConfig{
		ElectionRtt: rapid.SampledFrom([]uint64{10, 20, 30}).Draw(t, "election rtt"),
		Quiesce:     rapid.Bool().Draw(t, "quiesce"),
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
		for _, m := range h.hosts {
			if m.region == region {
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
	h.trouble = append(h.trouble, fmt.Sprintf("t%d ", h.state.Tick)+fmt.Sprintf(format, args...))
	h.log = append(h.log, h.trouble[len(h.trouble)-1])
}

// chaos does something bad, sometimes.
func (h *history) chaos(t *rapid.T) {
	if rapid.IntRange(0, h.intensity).Draw(t, "trouble") != 0 {
		return
	}
	hosts := h.sortedHosts()
	m := rapid.SampledFrom(hosts).Draw(t, "host")
	switch rapid.IntRange(0, 22).Draw(t, "what") {
	case 0, 1, 2:
		h.did("kill %s", m.name)
		h.kill(m)
	case 3, 4, 5, 6:
		if !m.up {
			h.did("boot %s", m.name)
			h.boot(m)
		}
	case 7:
		if h.mayLose(m) {
			h.did("wipe %s", m.name)
			h.wipe(m)
			h.wiped = h.state.Tick
		}
	case 8:
		h.did("cut %s: %v", m.name, !m.cut)
		h.cutOff(m, !m.cut)
	case 21, 22:
		h.did("gray %s: %v", m.name, !m.gray)
		h.gray(m, !m.gray)
	case 9:
		h.did("another leader")
		h.lead()
	case 10:
		h.did("leaderless: %v", !h.leaderless)
		h.leaderless = !h.leaderless
	case 11:
		h.draws(t)
	case 12:
		if h.defined < 6 {
			h.define1(t)
		}
	case 14, 15:
		mode := rapid.SampledFrom([]pb.HostMode{pb.HostMode_ACTIVE, pb.HostMode_CORDON, pb.HostMode_DRAIN}).Draw(t, "mode")
		h.did("mode of %s: %s", m.id, mode)
		h.mode(m.id, mode)
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
		h.did("pause: %v", !h.state.Paused)
		h.pause(!h.state.Paused, "because")
	case 13:
		for _, n := range m.sortedNodes() {
			if rapid.Bool().Draw(t, "stop node") {
				h.did("stop node %v on %s", n.key, m.name)
				n.running, n.caught = false, false
			}
		}
	}
}

// resize wants another number of members.
func (h *history) resize(t *rapid.T) {
	h.update(t, "resize", func(spec *pb.ClusterSpec) {
		size := uint32(rapid.IntRange(1, min(5, len(h.hosts))).Draw(t, "size"))
		if h.state.Tick <= h.wiped+h.policy.Suspect+1 {
			size = max(size, spec.Size) // as in mayLose
		}
		spec.Size = size
		h.drawPlaces(t, spec)
	})
}

func (h *history) update(t *rapid.T, what string, change func(*pb.ClusterSpec)) {
	c := h.state.Clusters.At(rapid.Uint64Range(1, h.defined).Draw(t, "cluster"))
	if c == nil || c.Spec == nil {
		return
	}
	spec := proto.Clone(c.Spec).(*pb.ClusterSpec)
	change(spec)
	h.did("%s %d: %v", what, c.ID, spec)
	h.write(&pb.Command{Body: &pb.Command_UpdateClusters{UpdateClusters: &pb.UpdateClusters{Specs: []*pb.ClusterSpec{spec}}}})
}

// recreate deletes a cluster, or defines it again.
func (h *history) recreate(t *rapid.T) {
	id := rapid.Uint64Range(1, h.defined).Draw(t, "cluster")
	_, deleted := h.state.Tombstones.Get(id)
	c := h.state.Clusters.At(id)
	switch {
	case deleted || c != nil && c.Deleted:
		h.did("define %d again", id)
		h.define(&pb.ClusterSpec{ClusterId: id, Application: "kv", Size: 3})
	case c == nil:
	case c.Spec != nil:
		h.did("delete %d", c.ID)
		h.delete(c.ID)
	}
}

// draws makes the network and the agents worse, or well again.
func (h *history) draws(t *rapid.T) {
	percent := rapid.SampledFrom([]int{0, 10, 50}).Draw(t, "percent")
	h.did("faults: %d%%", percent)
	unlucky := func() bool { return rapid.IntRange(0, 99).Draw(t, "luck") < percent }
	h.faults = faults{
		loseRequest: unlucky,
		loseResult:  unlucky,
		loseReport:  unlucky,
		result: func(*pb.Operation) pb.ResultCode {
			if !unlucky() {
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
func (h *history) mayLose(lost *machine) bool {
	for c := range h.state.Clusters.Values() {
		image := &db.Image{Members: c.Initial}
		if g := h.groups[c.ID]; g != nil {
			image = g.image
		}
		kept := 0
		for _, x := range image.Members {
			m, n := h.hosts[x.Address], c.Node(x.NodeID)
			if db.Voting(x.Role) && m != lost && !m.cut && !m.gray && (n == nil || n.HostID == m.id) {
				kept++
			}
		}
		if image.Voters() > 0 && kept < db.Quorum(image.Voters()) {
			return false
		}
		if c.Spec != nil && image.HasAddress(lost.name) && (image.Voters() > int(c.Spec.Size) || c.Config.InFlight()) {
			return false
		}
	}
	return true
}

func (h *history) step(t *rapid.T) {
	h.world.step()
	h.checkOperations()
	if db.DigestOf(h.state) != db.DigestOf(h.twin) {
		h.breaks("the replicas of DrummerDB have diverged")
	}
	h.report(t)
}

func (h *history) report(t *rapid.T) {
	if len(h.broken) > 0 {
		t.Fatalf("%s\nhistory:\n%s", strings.Join(h.broken, "\n"), strings.Join(h.log, "\n"))
	}
}

func (h *history) checkOperations() {
	changes := map[uint64]uint64{}
	for id, op := range h.state.Operations.All() {
		switch op.Request.Kind {
		case pb.RequestKind_START_NODE, pb.RequestKind_DESTROY_NODE:
		default:
			if other, ok := changes[op.Request.ClusterId]; ok {
				h.breaks("operations %d and %d both change cluster %d", other, id, op.Request.ClusterId)
			}
			changes[op.Request.ClusterId] = id
		}
	}
}

// heal ends all faults and waits for every cluster to be as specified.
func (h *history) heal(t *rapid.T) {
	h.did("heal")
	h.faults = faults{}
	h.leaderless = false
	h.pause(false, "")
	for id := range h.state.Hosts.All() {
		h.mode(id, pb.HostMode_ACTIVE)
	}
	for _, m := range h.sortedHosts() {
		m.cut, m.gray = false, false
		if !m.up {
			h.boot(m)
		}
	}
	const limit = 6000
	for range limit {
		if h.settled() {
			return
		}
		h.step(t)
	}
	var waiting []string
	for _, x := range Decide(h.state, h.policy, h.seed).Waiting {
		waiting = append(waiting, fmt.Sprintf("%d waits for %s", x.ClusterID, x.For))
	}
	t.Fatalf("not settled %d ticks after the faults stopped\n%s\nstray: %s\nmisplaced: %s\nhistory:\n%s",
		limit, strings.Join(waiting, "\n"), h.strays(), h.misplaced(), strings.Join(h.log, "\n"))
}
