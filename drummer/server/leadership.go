// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// inboxSize bounds what agents have sent and the leadership has not yet taken; a
// full inbox makes their streams wait.
const inboxSize = 1024

// fact is one thing that an agent said, but for heartbeats (noteHeartbeats). Either
// report or result is set; none of them says only that the host is there.
type fact struct {
	host   string // NodeHost ID
	stream *hostStream
	report *pb.HostReport
	result *pb.RequestResult
}

// leadership is one term during which this server leads. Its loop is one goroutine:
// facts come in by the inbox, requests go out by the streams.
type leadership struct {
	server *Server
	term   uint64
	inbox  chan fact
	over   <-chan struct{} // closed at its end
	// scheduling is set while enough of the fleet was heard to decide.
	scheduling atomic.Bool

	mu      sync.Mutex
	streams map[string]*hostStream // by NodeHost ID
	// disks has the highest generation of each host's disk that was heard of in this
	// leadership, by NodeHost ID. audited is the host that was asked last for its full
	// state.
	disks   map[string]uint64
	audited string

	// The rest belongs to the loop.
	ticks  uint64            // seen in this leadership since its warm-up began
	ticked time.Time         // when the last one was applied
	window uint64            // that is the time from one applied tick to the next, counted from 1
	heard  map[string]uint64 // the last window in which each host was heard of
	met    map[string]bool   // in this leadership since its warm-up began
	warm   bool              // enough of the fleet was heard to schedule
	// memory is what earlier decisions found out; from the window checkAt on the next
	// one is compared with a look at everything.
	memory  schedule.Memory
	checkAt uint64
	pushed  uint64 // operations below this ID were pushed, or wait for their host to attach
}

// lead is one leadership from its start to its end.
func (s *Server) lead(ctx context.Context, term uint64) {
	l := &leadership{
		server:  s,
		term:    term,
		inbox:   make(chan fact, inboxSize),
		over:    ctx.Done(),
		streams: map[string]*hostStream{},
		disks:   map[string]uint64{},
		window:  1,
		heard:   map[string]uint64{},
		met:     map[string]bool{},
	}
	if err := l.open(ctx); err != nil {
		s.log.Info("no leadership", "term", term, "reason", err)
		return
	}
	s.leadership.Store(l)
	s.log.Info("leads", "term", term)
	beating, stop := context.WithCancel(ctx)
	var pings sync.WaitGroup
	pings.Go(func() { l.ping(beating) })
	err := l.loop(ctx)
	stop()
	pings.Wait()
	s.leadership.Store(nil)
	s.log.Info("leads no more", "term", term, "reason", err)
}

// open names the deployment, if nobody has, and opens the term.
func (l *leadership) open(ctx context.Context) error {
	_, err := retry(ctx, l.server, "deployment", func() (*pb.CommandResult, error) {
		state, err := l.server.latestState(ctx)
		if err != nil || state.DeploymentID != 0 {
			return nil, err
		}
		return l.server.propose(ctx, &pb.Command{Body: &pb.Command_SetDeployment{
			SetDeployment: &pb.SetDeployment{
				DeploymentId:    l.server.config.DeploymentID,
				DeploymentEpoch: uint64(time.Now().UnixNano()),
			}}})
	})
	if err != nil {
		return err
	}
	result, err := retry(ctx, l.server, "leadership", func() (*pb.CommandResult, error) {
		return l.server.propose(ctx, &pb.Command{Body: &pb.Command_TakeLeadership{
			TakeLeadership: &pb.TakeLeadership{Term: l.term, ServerNodeId: l.server.config.NodeID}}})
	})
	if err != nil {
		return err
	}
	if result.GetCode() != pb.CommandCode_APPLIED {
		return errors.New(result.GetDetail())
	}
	// Agents attach from here on, and are sent what is in flight by then.
	state, err := l.server.localState()
	if err == nil {
		l.pushed = state.NextOperationID
	}
	return err
}

// loop runs until the leadership is over.
func (l *leadership) loop(ctx context.Context) error {
	ticker := time.NewTicker(l.server.config.Tick)
	defer ticker.Stop()
	for {
		var err error
		news := true
		select {
		case first := <-l.inbox:
			news, err = l.writeFacts(ctx, l.drain(first))
		case <-ticker.C:
			err = l.tick(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
		if err == nil && news {
			err = l.schedule(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// drain empties the inbox without waiting.
func (l *leadership) drain(first fact) []fact {
	facts := []fact{first}
	for len(facts) < inboxSize {
		select {
		case next := <-l.inbox:
			facts = append(facts, next)
		default:
			return facts
		}
	}
	return facts
}

// writeFacts writes what agents said: reports first, then what became of operations.
// It reports whether there was anything to write.
func (l *leadership) writeFacts(ctx context.Context, facts []fact) (news bool, err error) {
	state, err := l.server.localState()
	if err != nil {
		return false, err
	}
	var reports []*pb.HostReport
	var ends []*pb.Command
	reported := map[string]bool{}
	for _, f := range facts {
		if f.stream.isReplaced() {
			// The Hello of the newer stream says what holds; this may have been
			// said before it.
			continue
		}
		l.heard[f.host], l.met[f.host] = l.window, true
		report := f.report
		if report != nil && !reported[f.host] {
			// A second report of the same host is not compared: DrummerDB
			// will have the first by then.
			report = unknown(state, report)
		}
		if report != nil {
			reported[f.host] = true
			reports = append(reports, report)
		}
		if f.result != nil && state.Operations.At(f.result.GetOperationId()) != nil {
			ends = append(ends, &pb.Command{Body: &pb.Command_EndOperation{
				EndOperation: &pb.EndOperation{Term: l.term, Result: f.result}}})
		}
	}
	for _, cmd := range batches(l.term, reports) {
		if err := l.write(ctx, "reports", []*pb.Command{cmd}); err != nil {
			return false, err
		}
	}
	l.markStated(facts)
	return len(reports)+len(ends) > 0, l.write(ctx, "results", ends)
}

// write retries commands that may be applied more than once.
func (l *leadership) write(ctx context.Context, what string, cmds []*pb.Command) error {
	if len(cmds) == 0 {
		return nil
	}
	results, err := retry(ctx, l.server, what, func() ([]*pb.CommandResult, error) {
		return l.server.proposeAll(ctx, cmds)
	})
	if err != nil {
		return err
	}
	for _, result := range results {
		if err := l.handleResult(result); err != nil {
			return err
		}
	}
	return nil
}

// handleResult does what DrummerDB's answer asks for.
func (l *leadership) handleResult(result *pb.CommandResult) error {
	if result.GetCode() == pb.CommandCode_STALE_TERM {
		return errDeposed
	}
	if result.GetCode() != pb.CommandCode_APPLIED || result.GetDetail() != "" {
		l.server.log.Warn("DrummerDB answers", "code", result.GetCode(), "detail", result.GetDetail())
	}
	for _, host := range result.GetNeedFullState() {
		l.askForFullState(host)
	}
	return nil
}

// ping shows all agents once a tick that they are attached to the leader. It waits
// for nothing that the log may hold up: a leader without a quorum steps down, by
// CheckQuorum, and the agents of one with a slow disk would find no
// better one elsewhere.
func (l *leadership) ping(ctx context.Context) {
	ticker := time.NewTicker(l.server.config.Tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			l.sendAll(&pb.ServerMessage{Body: &pb.ServerMessage_Ping{Ping: &pb.Ping{}}})
		case <-ctx.Done():
			return
		}
	}
}

// tick moves the logical clock. One that is lost is not repeated: the next one
// comes soon, and says who was heard meanwhile.
func (l *leadership) tick(ctx context.Context) error {
	state, err := l.server.localState()
	if err != nil {
		return nil // the next tick is soon
	}
	l.noteHeartbeats()
	tick := &pb.Tick{Term: l.term, TimeToLive: l.server.config.Policy.TTL}
	tick.Heard, tick.Silent = l.liveness(state)
	tick.Disks = l.disksOf(state, tick.Silent)
	result, err := l.server.propose(ctx, &pb.Command{Body: &pb.Command_Tick{Tick: tick}})
	if err != nil {
		l.server.log.Debug("a tick was lost", "term", l.term, "error", err)
		return ctx.Err()
	}
	if l.stalled() {
		l.restartWarmUp()
	}
	l.window++
	l.ticked = time.Now()
	l.ticks++
	if err := l.handleResult(result); err != nil {
		return err
	}
	l.audit()
	if state, err = l.server.localState(); err != nil {
		return nil
	}
	l.server.peers.PromoteJoined(ctx, state.Version)
	return l.raiseVersion(ctx, state)
}

// silentWindows is how many windows in a row a host must be unheard of to be listed as
// silent. Heartbeats come once a window, so that one of them is easily missed by a
// few milliseconds; who is back in the next one costs no word in the log.
const silentWindows = 2

// liveness is what a tick has to say of hosts: which are heard of though DrummerDB
// takes them for silent or gone or does not know them, and which are silent though it
// does not. While nothing happens that is nobody.
func (l *leadership) liveness(state *db.State) (heard []string, silent []*pb.SilentHost) {
	patience := min(silentWindows, max(l.server.config.Policy.Suspect, 1))
	for id, h := range state.Hosts.All() {
		if ago := l.window - l.heard[id]; !h.Silent && ago >= patience {
			silent = append(silent, &pb.SilentHost{NodehostId: id, Ticks: ago})
		}
	}
	for id, window := range l.heard {
		if h := state.Hosts.At(id); window == l.window && (h == nil || h.Silent) {
			heard = append(heard, id)
		} else if h == nil {
			delete(l.heard, id) // it was forgotten, and says no more
		}
	}
	slices.Sort(heard)
	return heard, silent
}

// raiseVersion lets the next version's commands into the log once every server
// that votes is alive and knows them: a program that doesn't would apply them
// differently.
func (l *leadership) raiseVersion(ctx context.Context, state *db.State) error {
	if state.Version >= db.Version {
		return nil
	}
	next := state.Version + 1
	if !l.server.peers.VotersKnow(next) {
		return nil
	}
	if err := l.write(ctx, "version", []*pb.Command{{Body: &pb.Command_SetVersion{SetVersion: &pb.SetVersion{Version: next}}}}); err != nil {
		return err
	}
	// What agents said before may have meant nothing then.
	l.sendAll(&pb.ServerMessage{Body: &pb.ServerMessage_SendFullState{SendFullState: &pb.SendFullState{}}})
	return nil
}

// schedule decides from the state as it is and sends out what was decided.
func (l *leadership) schedule(ctx context.Context) error {
	state, err := l.server.localState()
	if err != nil {
		return err
	}
	l.pushNew(state)
	l.scheduling.Store(l.warmedUp(state))
	if !l.scheduling.Load() {
		return nil
	}
	plan := l.decide(state)
	if cmd := plan.FuseCommand(state, l.term); cmd != nil {
		if err := l.write(ctx, "fuses", []*pb.Command{cmd}); err != nil {
			return err
		}
	}
	if len(plan.Operations) == 0 {
		return nil
	}
	result, err := l.server.propose(ctx, plan.Command(state, l.term))
	if err != nil {
		// Should it come into the log after all, its operations are pushed before
		// the next decision.
		l.server.log.Debug("a schedule's fate is unknown", "term", l.term, "error", err)
		return ctx.Err()
	}
	if err := l.handleResult(result); err != nil {
		return err
	}
	if state, err = l.server.localState(); err == nil {
		l.pushNew(state)
	}
	return err
}

// Seed is the seed of the decision made from a state, so that it can be made
// again.
func Seed(state *db.State) uint64 { return state.DeploymentID + state.Index }

// stalled reports whether no tick was applied for so long that a silent host
// should be suspect. The clock in the log stood still meanwhile, so hosts that
// died look as if they had just been heard of.
func (l *leadership) stalled() bool {
	return !l.ticked.IsZero() && time.Since(l.ticked) > time.Duration(l.server.config.Policy.Suspect)*l.server.config.Tick
}

// restartWarmUp has the leadership hear the fleet anew before it decides again.
func (l *leadership) restartWarmUp() {
	l.noteHeartbeats() // they were before
	l.warm, l.ticks = false, 0
	clear(l.met)
}

// warmedUp reports whether this leadership has heard enough of the fleet to know what
// is wrong with it.
func (l *leadership) warmedUp(state *db.State) bool {
	if l.stalled() {
		l.restartWarmUp()
	}
	if l.warm {
		return true
	}
	l.noteHeartbeats()
	policy := l.server.config.Policy
	known, met := 0, 0
	for id, host := range state.Hosts.All() {
		if state.HostState(host, policy.TTL) != pb.NodeHostState_UP {
			continue
		}
		known++
		if l.met[id] {
			met++
		}
	}
	l.warm = met == known ||
		l.ticks >= l.server.config.WarmUpTicks && 2*met >= known ||
		l.ticks >= 2*policy.TTL
	return l.warm
}
