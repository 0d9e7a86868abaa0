// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3/statemachine"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// errDeposed ends a leadership: DrummerDB is in a newer term.
var errDeposed = errors.New("DrummerDB is in a newer term")

// proposeTimeout bounds one proposal: an election may happen meanwhile.
func (s *Server) proposeTimeout() time.Duration {
	return max(3*time.Second, 3*s.config.electionTimeout())
}

// propose makes one proposal and returns what DrummerDB said of it. An error
// means that its fate is not known.
func (s *Server) propose(ctx context.Context, cmd *pb.Command) (*pb.CommandResult, error) {
	data, err := proto.Marshal(cmd)
	if err != nil {
		return nil, fmt.Errorf("a command can't be encoded: %w", err)
	}
	s.proposed.Add(uint64(len(data)))
	ctx, cancel := context.WithTimeout(ctx, s.proposeTimeout())
	defer cancel()
	result, err := s.group.propose(ctx, data)
	if err != nil {
		return nil, err
	}
	return decode(result)
}

func decode(result statemachine.Result) (*pb.CommandResult, error) {
	out := &pb.CommandResult{}
	if err := proto.Unmarshal(result.Data, out); err != nil {
		return nil, fmt.Errorf("DrummerDB's answer can't be decoded: %w", err)
	}
	return out, nil
}

// proposeAll makes proposals that don't depend on each other, without waiting
// for one before the next, and returns what DrummerDB said of each. An error
// means that the fate of some is not known.
func (s *Server) proposeAll(ctx context.Context, cmds []*pb.Command) (results []*pb.CommandResult, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.proposeTimeout())
	defer cancel()
	commands := make([][]byte, len(cmds))
	for i, cmd := range cmds {
		if commands[i], err = proto.Marshal(cmd); err != nil {
			return nil, fmt.Errorf("a command can't be encoded: %w", err)
		}
		s.proposed.Add(uint64(len(commands[i])))
	}
	answers, err := s.group.proposeAll(ctx, commands)
	if err != nil {
		return nil, err
	}
	for _, answer := range answers {
		result, err := decode(answer)
		if err != nil {
			return nil, err
		}
		results = append(results, result)
	}
	return results, nil
}

// noteServerChange writes a change of the servers into the event log. A DrummerDB that
// has only just begun, or whose servers are not all of this version, has no place for it.
func (s *Server) noteServerChange(ctx context.Context, note *pb.NoteServerChange) error {
	result, err := s.propose(ctx, &pb.Command{Body: &pb.Command_NoteServerChange{NoteServerChange: note}})
	if err != nil {
		return err
	}
	if result.GetCode() == pb.CommandCode_UNKNOWN_COMMAND {
		s.log.Warn("the event log can't hold yet that a server is changed", "change", note)
		return nil
	}
	return refusal(result)
}

// retry repeats proposals that may be applied more than once until their
// result is known or ctx ends.
func retry[T any](ctx context.Context, s *Server, what string, try func() (T, error)) (T, error) {
	const pause = 100 * time.Millisecond
	for {
		out, err := try()
		if err == nil {
			return out, nil
		}
		s.log.Debug("proposal is repeated", "what", what, "error", err)
		select {
		case <-ctx.Done():
			var zero T
			return zero, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// localState is DrummerDB as this server has applied it: the leader's, after
// its own proposals.
func (s *Server) localState() (*db.State, error) {
	answer, err := s.group.staleRead(db.GetState{})
	return asState(answer, err)
}

// stateAt is DrummerDB as this server had it at an index; nil when it has it no
// more.
func (s *Server) stateAt(index uint64) (*db.State, error) {
	answer, err := s.group.staleRead(db.GetStateAt{Index: index})
	return asState(answer, err)
}

// latestState is DrummerDB as of now, whoever leads.
func (s *Server) latestState(ctx context.Context) (*db.State, error) {
	round := s.reads.join(s)
	select {
	case <-round.done:
		return round.state, round.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// reads lets those who ask for the latest state at the same time share an answer. A
// round of Raft that begins after somebody asked is as good as one of his own: so one
// is under way at a time, and who asks meanwhile waits for the next.
type reads struct {
	mu      sync.Mutex
	running bool
	next    *readRound // nil: nobody waits
}

type readRound struct {
	done  chan struct{} // closed when state and err are set
	state *db.State
	err   error
}

// join returns the next round.
func (r *reads) join(s *Server) *readRound {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.next == nil {
		r.next = &readRound{done: make(chan struct{})}
	}
	if !r.running {
		r.running = true
		s.done.Go(func() { r.run(s) })
	}
	return r.next
}

// run makes one round after the other while somebody waits.
func (r *reads) run(s *Server) {
	for {
		r.mu.Lock()
		round := r.next
		r.next, r.running = nil, round != nil
		r.mu.Unlock()
		if round == nil {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), s.proposeTimeout())
		round.state, round.err = asState(s.group.read(ctx, db.GetState{}))
		cancel()
		close(round.done)
	}
}

func asState(answer any, err error) (*db.State, error) {
	if err != nil {
		return nil, err
	}
	state, ok := answer.(*db.State)
	if !ok {
		return nil, fmt.Errorf("DrummerDB answered db.GetState with %T", answer)
	}
	return state, nil
}
