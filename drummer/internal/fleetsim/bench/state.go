// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/fleetsim"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

func newFleet(nodes int) *fleetsim.Fleet {
	return fleetsim.New(nodes/nodesPerHost, nodes/fleetsim.Replication)
}

// stateBench measures DrummerDB's state and the scheduler by themselves. All of that
// runs on one thread but for the garbage collector, so times are CPU time of the
// process: that is the longer one on an idle machine, and stands a busy one.
type stateBench struct {
	fleet    *fleetsim.Fleet
	state    *db.State
	figures  map[string]float64
	profiles string
}

func measureState(fleet *fleetsim.Fleet, figures map[string]float64, profiles string) error {
	b := &stateBench{fleet: fleet, state: db.NewState(), figures: figures, profiles: profiles}
	before := liveHeap()
	for _, step := range []func() error{b.begin, b.firstReports, b.deltas, b.beat} {
		if err := step(); err != nil {
			return err
		}
	}
	figures["live heap"] = float64(liveHeap()-before) / float64(fleet.Nodes())
	if err := b.heapProfile(); err != nil {
		return err
	}
	for _, step := range []func() error{b.decide, b.snapshot, b.locate, b.hostDies} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func liveHeap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// heapProfile writes down what the live heap consists of, where profiles are wanted.
func (b *stateBench) heapProfile() error {
	if b.profiles == "" {
		return nil
	}
	file, err := os.Create(filepath.Join(b.profiles, "heap.prof"))
	if err != nil {
		return err
	}
	defer file.Close()
	return pprof.Lookup("heap").WriteTo(file, 0)
}

// profileFile is where the profile of a figure is.
func profileFile(dir, name string) string {
	return filepath.Join(dir, strings.NewReplacer(" ", "-", ":", "", ",", "").Replace(name)+".prof")
}

// timed measures one figure, with a profile where one is wanted.
func (b *stateBench) timed(name string, do func() error) (time.Duration, error) {
	runtime.GC()
	if b.profiles != "" {
		file, err := os.Create(profileFile(b.profiles, name))
		if err != nil {
			return 0, err
		}
		defer file.Close()
		if err := pprof.StartCPUProfile(file); err != nil {
			return 0, err
		}
		defer pprof.StopCPUProfile()
	}
	start := cpuTime()
	err := do()
	return cpuTime() - start, err
}

// cpuTime is what this process has used up so far.
func cpuTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err) // it has no reason to fail
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func encode(cmd *pb.Command) []byte {
	data, err := proto.Marshal(cmd)
	if err != nil {
		panic(err) // nothing here is text that is not UTF-8
	}
	return data
}

func (b *stateBench) apply(data []byte) (err error) {
	var result *pb.CommandResult
	b.state, result = db.Apply(b.state, b.state.Index+1, data)
	if result.GetCode() != pb.CommandCode_APPLIED || result.GetDetail() != "" {
		return fmt.Errorf("a command ended with %v: %s", result.GetCode(), result.GetDetail())
	}
	return nil
}

// begin defines and launches the clusters.
func (b *stateBench) begin() error {
	cmds := []*pb.Command{
		{Body: &pb.Command_SetDeployment{SetDeployment: &pb.SetDeployment{DeploymentId: 1}}},
		{Body: &pb.Command_TakeLeadership{TakeLeadership: &pb.TakeLeadership{Term: 1, ServerNodeId: 1}}},
	}
	for v := uint32(2); v <= db.Version; v++ {
		cmds = append(cmds, &pb.Command{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: v}}})
	}
	for i := 0; i < b.fleet.Clusters; i += db.MaxSpecs {
		cmds = append(cmds, &pb.Command{Body: &pb.Command_DefineClusters{DefineClusters: &pb.DefineClusters{Specs: b.fleet.Specs(i, db.MaxSpecs)}}})
	}
	for _, cmd := range append(cmds, &pb.Command{Body: &pb.Command_SetLaunched{SetLaunched: &pb.SetLaunched{}}}) {
		if err := b.apply(encode(cmd)); err != nil {
			return err
		}
	}
	return nil
}

// firstReports applies the full report of each host, twenty thousand nodes to a
// command, as a leader batches what comes in while it writes.
func (b *stateBench) firstReports() error {
	const each, commands = 20_000 / nodesPerHost, 5 // commands that are made at a time
	spent := time.Duration(0)
	for first := 0; first < b.fleet.Hosts; first += each * commands {
		var encoded [][]byte
		for from := first; from < min(first+each*commands, b.fleet.Hosts); from += each {
			reports := &pb.HostReports{Term: 1}
			for host := from; host < min(from+each, b.fleet.Hosts); host++ {
				reports.Reports = append(reports.Reports, b.fleet.Report(host))
			}
			encoded = append(encoded, encode(&pb.Command{Body: &pb.Command_Reports{Reports: reports}}))
		}
		took, err := b.timed(fmt.Sprint("first-reports-", first/each/commands), func() error {
			for _, data := range encoded {
				if err := b.apply(data); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
		spent += took
	}
	b.figures["first full reports, applied"] = float64(b.fleet.Nodes()) / spent.Seconds()
	return nil
}

// deltas applies reports about one node each, a thousand to a command, as a leader
// batches what comes in while it writes.
func (b *stateBench) deltas() error {
	const each, commands = 1000, 200
	var encoded [][]byte
	for i := range commands {
		reports := &pb.HostReports{Term: 1}
		for j := range each {
			n := i*each + j
			reports.Reports = append(reports.Reports, b.fleet.Delta(n%b.fleet.Hosts, n/b.fleet.Hosts, 1))
		}
		encoded = append(encoded, encode(&pb.Command{Body: &pb.Command_Reports{Reports: reports}}))
	}
	took, err := b.timed("deltas", func() error {
		for _, data := range encoded {
			if err := b.apply(data); err != nil {
				return err
			}
		}
		return nil
	})
	b.figures["one-node deltas, applied"] = each * commands / took.Seconds()
	if err != nil {
		return err
	}
	// every cluster is of one term again
	for host := range b.fleet.Hosts {
		r := b.fleet.Report(host)
		for _, n := range r.Nodes {
			n.Term, n.Membership = n.Term+1, nil
		}
		if err := b.apply(encode(&pb.Command{Body: &pb.Command_Reports{Reports: &pb.HostReports{Term: 1, Reports: []*pb.HostReport{{
			Host: &pb.NodeHostInfo{NodehostId: r.Host.NodehostId}, Nodes: r.Nodes}}}}})); err != nil {
			return err
		}
	}
	return nil
}

// beat lets so many ticks pass that the fleet is calm.
func (b *stateBench) beat() error {
	for range schedule.DefaultPolicy().BalanceCalm + 1 {
		if err := b.tick(); err != nil {
			return err
		}
	}
	return nil
}

// tick is one tick, by which hosts have fallen silent.
func (b *stateBench) tick(silent ...*pb.SilentHost) error {
	return b.apply(encode(&pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{
		Term: 1, TimeToLive: schedule.DefaultPolicy().TTL, Silent: silent}}}))
}

// decide measures decisions that have nothing to decide: after a tick alone, after so
// many clusters have changed with it, and with a look at everything.
func (b *stateBench) decide() error {
	policy := schedule.DefaultPolicy()
	var memory schedule.Memory
	memory.Decide(b.state, policy, 1)
	for _, k := range []struct {
		name    string
		changed int
	}{{"decide: nothing changed", 0}, {"decide: 1 cluster changed", 1}, {"decide: 100 clusters changed", 100}} {
		var states []*db.State
		for i := range 40 {
			reports := &pb.HostReports{Term: 1}
			for j := range k.changed {
				n := (i*k.changed + j) * 7919
				r := b.fleet.Delta(n%b.fleet.Hosts, n/b.fleet.Hosts, 1)
				r.Nodes[0].CaughtUp = i%2 == 0
				reports.Reports = append(reports.Reports, r)
			}
			if err := b.apply(encode(&pb.Command{Body: &pb.Command_Reports{Reports: reports}})); err != nil {
				return err
			}
			if err := b.tick(); err != nil {
				return err
			}
			states = append(states, b.state)
		}
		if err := b.decideAll(k.name, &memory, states); err != nil {
			return err
		}
	}
	return b.repeat("decide: in full", func() error {
		if plan := schedule.Decide(b.state, schedule.DefaultPolicy(), 1); len(plan.Operations) > 0 {
			return fmt.Errorf("nothing should be decided, but %v was", plan.Operations[0])
		}
		return nil
	})
}

// decideAll measures decisions about one state after the other, as a leader makes them,
// in milliseconds, the mean of many times through.
func (b *stateBench) decideAll(name string, memory *schedule.Memory, states []*db.State) error {
	times, spent := 0, time.Duration(0)
	_, err := b.timed(name, func() error {
		for start := time.Now(); time.Since(start) < atLeast; times += len(states) - 1 {
			memory.Decide(states[0], schedule.DefaultPolicy(), 1) // back to the beginning, which no leader does
			before := cpuTime()
			for _, state := range states[1:] {
				if plan := memory.Decide(state, schedule.DefaultPolicy(), 1); len(plan.Operations) > 0 {
					return fmt.Errorf("nothing should be decided, but %v was", plan.Operations[0])
				}
			}
			spent += cpuTime() - before
		}
		return nil
	})
	b.figures[name] = spent.Seconds() * 1000 / float64(times)
	return err
}

// atLeast is how long something is repeated.
const atLeast = 500 * time.Millisecond

// repeat measures how long something takes, in milliseconds, the mean of many times.
func (b *stateBench) repeat(name string, do func() error) error {
	times := 0
	took, err := b.timed(name, func() error {
		for start := time.Now(); time.Since(start) < atLeast; times++ {
			if err := do(); err != nil {
				return err
			}
		}
		return nil
	})
	b.figures[name] = took.Seconds() * 1000 / float64(times)
	return err
}

func (b *stateBench) snapshot() error {
	var saved bytes.Buffer
	took, err := b.timed("save", func() error { return db.WriteSnapshot(b.state, &saved) })
	if err != nil {
		return err
	}
	b.figures["snapshot: save"] = took.Seconds()
	b.figures["snapshot: size"] = float64(saved.Len()) / (1 << 20)
	var restored *db.State
	took, err = b.timed("restore", func() (err error) {
		restored, err = db.ReadSnapshot(bytes.NewReader(saved.Bytes()))
		return err
	})
	b.figures["snapshot: restore"] = took.Seconds()
	if err == nil && db.DigestOf(restored) != db.DigestOf(b.state) {
		return fmt.Errorf("the snapshot restores another state")
	}
	return err
}

// locate looks clusters up as a server does for a program in its own process
// (server.Server.Locate).
func (b *stateBench) locate() error {
	const lookups = 3_000_000
	index := db.NewIndex(schedule.DefaultPolicy().TTL)
	before := liveHeap()
	took, err := b.timed("locate, the first time", func() error {
		index.Locate(b.state, 1)
		return nil
	})
	if err != nil {
		return err
	}
	b.figures["locate: in process, the first time"] = took.Seconds()
	b.figures["locate: index for that"] = float64(liveHeap()-before) / float64(b.fleet.Nodes())
	took, err = b.timed("locate", func() error {
		id := uint64(0)
		for range lookups {
			id = (id + 7919) % uint64(b.fleet.Clusters)
			if l := index.Locate(b.state, id+1); l == nil || !l.Available {
				return fmt.Errorf("cluster %d is not available", id+1)
			}
		}
		return nil
	})
	b.figures["locate: in process"] = lookups / took.Seconds()
	return err
}

// hostDies lets the heavy host fall silent until it counts as dead, and plans for all
// that was on it: limits are out of the way, so that nothing waits.
func (b *stateBench) hostDies() error {
	policy := schedule.DefaultPolicy()
	policy.OperationsTotal, policy.OperationsPerHost, policy.JoinsPerHost = fleetsim.HeavyNodes*2, fleetsim.HeavyNodes, fleetsim.HeavyNodes
	before := b.state
	if err := b.tick(&pb.SilentHost{NodehostId: fleetsim.HostID(fleetsim.HeavyHost), Ticks: policy.TTL}); err != nil {
		return err
	}
	died := b.state
	const times = 9
	var took []time.Duration
	var memory schedule.Memory // as a leader has it
	_, err := b.timed("host dies", func() error {
		for range times {
			memory.Decide(before, policy, 1)
			b.state = died
			start := cpuTime()
			plan := memory.Decide(b.state, policy, 1)
			if want := min(fleetsim.HeavyNodes, b.fleet.Clusters); len(plan.Operations) != want {
				return fmt.Errorf("%d operations were planned, not %d", len(plan.Operations), want)
			}
			if err := b.apply(encode(plan.Command(b.state, 1))); err != nil {
				return err
			}
			took = append(took, cpuTime()-start)
		}
		return nil
	})
	if err != nil {
		return err
	}
	b.figures["a host of 3,000 nodes dies: all planned, the first time"] = took[0].Seconds() * 1000
	slices.Sort(took)
	b.figures["a host of 3,000 nodes dies: all planned"] = took[times/2].Seconds() * 1000
	return nil
}
