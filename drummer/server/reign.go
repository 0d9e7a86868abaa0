// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

// inboxSize bounds what agents have sent and the reign has not yet taken; a
// full inbox makes their streams wait.
const inboxSize = 1024

// fact is one thing that an agent said. Either report or result is set; none of
// them is a bare heartbeat.
type fact struct {
	host   string // NodeHost ID
	stream *hostStream
	report *pb.HostReport
	result *pb.RequestResult
}

// reign is one term during which this server leads. Its loop is one goroutine:
// facts come in by the inbox, requests go out by the streams.
type reign struct {
	server *Server
	term   uint64
	inbox  chan fact
	over   <-chan struct{} // closed at its end

	mu      sync.Mutex
	streams map[string]*hostStream // by NodeHost ID

	// The rest belongs to the loop.
	ticks  uint64          // seen in this reign since it was last cold
	ticked time.Time       // when the last one was applied
	heard  map[string]bool // since then
	met    map[string]bool // in this reign since it was last cold
	warm   bool            // enough of the fleet was heard to schedule
}

// govern is a reign from its start to its end.
func (s *Server) govern(ctx context.Context, term uint64) {
	r := &reign{
		server:  s,
		term:    term,
		inbox:   make(chan fact, inboxSize),
		over:    ctx.Done(),
		streams: map[string]*hostStream{},
		heard:   map[string]bool{},
		met:     map[string]bool{},
	}
	if err := r.ascend(ctx); err != nil {
		s.log.Info("no reign", "term", term, "reason", err)
		return
	}
	s.reign.Store(r)
	s.log.Info("leads", "term", term)
	beating, stop := context.WithCancel(ctx)
	var pings sync.WaitGroup
	pings.Go(func() { r.ping(beating) })
	err := r.loop(ctx)
	stop()
	pings.Wait()
	s.reign.Store(nil)
	s.log.Info("leads no more", "term", term, "reason", err)
}

// ascend names the deployment, if nobody has, and opens the term.
func (r *reign) ascend(ctx context.Context) error {
	_, err := insist(ctx, r.server, "deployment", func() (*pb.CommandResult, error) {
		state, err := r.server.latestState(ctx)
		if err != nil || state.DeploymentID != 0 {
			return nil, err
		}
		return r.server.propose(ctx, &pb.Command{Body: &pb.Command_SetDeployment{
			SetDeployment: &pb.SetDeployment{DeploymentId: r.server.config.DeploymentID}}})
	})
	if err != nil {
		return err
	}
	result, err := insist(ctx, r.server, "leadership", func() (*pb.CommandResult, error) {
		return r.server.propose(ctx, &pb.Command{Body: &pb.Command_TakeLeadership{
			TakeLeadership: &pb.TakeLeadership{Term: r.term, ServerNodeId: r.server.config.NodeID}}})
	})
	if err != nil {
		return err
	}
	if result.GetCode() != pb.CommandCode_APPLIED {
		return errors.New(result.GetDetail())
	}
	return nil
}

// loop runs until the reign is over.
func (r *reign) loop(ctx context.Context) error {
	ticker := time.NewTicker(r.server.config.Tick)
	defer ticker.Stop()
	for {
		var err error
		news := true
		select {
		case first := <-r.inbox:
			news, err = r.take(ctx, r.drain(first))
		case <-ticker.C:
			err = r.tick(ctx)
		case <-ctx.Done():
			return ctx.Err()
		}
		if err == nil && news {
			err = r.schedule(ctx)
		}
		if err != nil {
			return err
		}
	}
}

// drain empties the inbox without waiting.
func (r *reign) drain(first fact) []fact {
	facts := []fact{first}
	for len(facts) < inboxSize {
		select {
		case next := <-r.inbox:
			facts = append(facts, next)
		default:
			return facts
		}
	}
	return facts
}

// take writes what agents said: reports first, then what became of operations.
// It tells whether there was anything to write.
func (r *reign) take(ctx context.Context, facts []fact) (news bool, err error) {
	state, err := r.server.localState()
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
		r.heard[f.host], r.met[f.host] = true, true
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
				EndOperation: &pb.EndOperation{Term: r.term, Result: f.result}}})
		}
	}
	for _, cmd := range batches(r.term, reports) {
		if err := r.write(ctx, "reports", []*pb.Command{cmd}); err != nil {
			return false, err
		}
	}
	return len(reports)+len(ends) > 0, r.write(ctx, "results", ends)
}

// write insists on commands that may be applied more than once.
func (r *reign) write(ctx context.Context, what string, cmds []*pb.Command) error {
	if len(cmds) == 0 {
		return nil
	}
	results, err := insist(ctx, r.server, what, func() ([]*pb.CommandResult, error) {
		return r.server.proposeAll(ctx, cmds)
	})
	if err != nil {
		return err
	}
	for _, result := range results {
		if err := r.obey(result); err != nil {
			return err
		}
	}
	return nil
}

// obey does what DrummerDB's answer asks for.
func (r *reign) obey(result *pb.CommandResult) error {
	if result.GetCode() == pb.CommandCode_STALE_TERM {
		return errDeposed
	}
	if result.GetCode() != pb.CommandCode_APPLIED || result.GetDetail() != "" {
		r.server.log.Warn("DrummerDB answers", "code", result.GetCode(), "detail", result.GetDetail())
	}
	for _, host := range result.GetNeedFullState() {
		r.send(host, &pb.ServerMessage{Body: &pb.ServerMessage_SendFullState{SendFullState: &pb.SendFullState{}}})
	}
	return nil
}

// ping tells all agents once a tick that they have found the leader. It waits
// for nothing that the log may hold up: a leader without a quorum loses its
// office, by CheckQuorum, and the agents of one with a slow disk would find no
// better one elsewhere.
func (r *reign) ping(ctx context.Context) {
	ticker := time.NewTicker(r.server.config.Tick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			r.sendAll(&pb.ServerMessage{Body: &pb.ServerMessage_Ping{Ping: &pb.Ping{}}})
		case <-ctx.Done():
			return
		}
	}
}

// tick moves the logical clock. One that is lost is not repeated: the next one
// comes soon, and says who was heard meanwhile.
func (r *reign) tick(ctx context.Context) error {
	heard := sortedSet(r.heard)
	result, err := r.server.propose(ctx, &pb.Command{Body: &pb.Command_Tick{
		Tick: &pb.Tick{Term: r.term, Heard: heard, TimeToLive: r.server.config.Policy.TTL}}})
	if err != nil {
		r.server.log.Debug("a tick was lost", "term", r.term, "error", err)
		return ctx.Err()
	}
	if r.stalled() {
		r.cool()
	}
	clear(r.heard)
	r.ticked = time.Now()
	r.ticks++
	if err := r.obey(result); err != nil {
		return err
	}
	r.audit()
	r.server.promoteJoined(ctx)
	return r.raiseVersion(ctx)
}

// schedule decides from the state as it is and sends out what was decided.
func (r *reign) schedule(ctx context.Context) error {
	state, err := r.server.localState()
	if err != nil {
		return err
	}
	if !r.warmedUp(state) {
		return nil
	}
	plan := schedule.Decide(state, r.server.config.Policy, Seed(state))
	if cmd := plan.FuseCommand(state, r.term); cmd != nil {
		if err := r.write(ctx, "fuses", []*pb.Command{cmd}); err != nil {
			return err
		}
	}
	if len(plan.Operations) == 0 {
		return nil
	}
	result, err := r.server.propose(ctx, plan.Command(state, r.term))
	if err != nil {
		// It may be in flight now: what the next decision then builds on is
		// sent from the state.
		r.server.log.Debug("a schedule's fate is unknown", "term", r.term, "error", err)
		if ctx.Err() == nil {
			r.pushInFlight(state.Index)
		}
		return ctx.Err()
	}
	if err := r.obey(result); err != nil {
		return err
	}
	for _, op := range result.GetAccepted() {
		r.push(op)
	}
	return nil
}

// Seed is the seed of the decision made from a state, so that it can be made
// again.
func Seed(state *db.State) uint64 { return state.DeploymentID + state.Index }

// stalled tells whether no tick was applied for so long that a silent host
// should be suspect. The clock in the log stood still meanwhile, so hosts that
// died look as if they had just been heard of.
func (r *reign) stalled() bool {
	return !r.ticked.IsZero() && time.Since(r.ticked) > time.Duration(r.server.config.Policy.Suspect)*r.server.config.Tick
}

// cool has the reign hear the fleet anew before it decides again.
func (r *reign) cool() {
	r.warm, r.ticks = false, 0
	clear(r.met)
}

// warmedUp tells whether this reign has heard enough of the fleet to know what
// is wrong with it.
func (r *reign) warmedUp(state *db.State) bool {
	if r.stalled() {
		r.cool()
	}
	if r.warm {
		return true
	}
	policy := r.server.config.Policy
	known, met := 0, 0
	for id, host := range state.Hosts.All() {
		if state.HostState(host, policy.TTL) != pb.NodeHostState_UP {
			continue
		}
		known++
		if r.met[id] {
			met++
		}
	}
	r.warm = met == known ||
		r.ticks >= r.server.config.WarmUpTicks && 2*met >= known ||
		r.ticks >= 2*policy.TTL
	return r.warm
}
