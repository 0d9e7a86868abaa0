// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	sm "github.com/lni/dragonboat/v3/statemachine"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// raftError is what a NodeHost answers.
func raftError(code pb.RaftErrorCode, noEffect bool) error {
	st, err := status.New(codes.Internal, code.String()).WithDetails(&pb.RaftError{Code: code, NoEffect: noEffect})
	if err != nil {
		return err
	}
	return st.Err()
}

// fate is what becomes of a call.
type fate int

const (
	works    fate = iota
	refused       // a NodeHost says that it had no effect, and that is true
	lost          // it had no effect, and the error does not tell
	unheard       // it took effect, and the error does not tell
	late          // it takes effect long after the error
	hangs         // there is no answer until the caller gives up
	rejected      // the session is not known
)

// fake is a deployment of linearizable clusters that treat calls as fated.
type fake struct {
	mu       sync.Mutex
	drawn    *rand.Rand
	fates    []fate // drawn from; empty: all calls work
	delay    time.Duration
	stores   map[uint64]*kv.Store
	sessions map[uint64]map[uint64]map[uint64][]byte // by cluster, client and series: answers
	clients  uint64
	closing  chan struct{} // ends late effects
	pending  sync.WaitGroup

	proposals map[string]int // by writer
	// doubts are the writers whose effect is in doubt, despite those that were
	// proposed again then.
	doubts, despite map[string]bool
	applied         map[string]int
	forgotten       int
	unlocated       bool
	recorded        *memory           // has each operation that is sent; nil: that is not checked
	asked           map[string]int    // by address
	answered        map[string]string // the address that carried out a write, by writer
}

func newFake(seed uint64, fates ...fate) *fake {
	return &fake{
		drawn: rand.New(rand.NewPCG(seed, 1)), fates: fates, delay: 20 * time.Millisecond,
		stores: map[uint64]*kv.Store{}, sessions: map[uint64]map[uint64]map[uint64][]byte{},
		closing: make(chan struct{}), proposals: map[string]int{}, doubts: map[string]bool{}, despite: map[string]bool{}, applied: map[string]int{}, asked: map[string]int{}, answered: map[string]string{},
	}
}

// close ends what is still to take effect.
func (f *fake) close() {
	close(f.closing)
	f.pending.Wait()
}

func (f *fake) Locate(ctx context.Context, cluster uint64) ([]Member, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.unlocated {
		return nil, fmt.Errorf("Drummer is away")
	}
	return []Member{{"nodehost-1:2", true}, {"nodehost-2:2", true}, {"nodehost-3:2", true}, {"nodehost-4:2", false}}, nil
}

func (f *fake) Forget(cluster uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forgotten++
}

func (f *fake) draw(address string) fate {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked[address]++
	if len(f.fates) == 0 {
		return works
	}
	return f.fates[f.drawn.IntN(len(f.fates))]
}

// treat carries out effect, or not, as fated.
func (f *fake) treat(ctx context.Context, fated fate, effect func()) error {
	if fated != hangs {
		pause(ctx, f.delay)
	}
	if ctx.Err() != nil && fated != late && fated != unheard {
		return status.FromContextError(ctx.Err()).Err()
	}
	switch fated {
	case works:
		effect()
		return nil
	case refused:
		return raftError(pb.RaftErrorCode_CLUSTER_NOT_READY, true)
	case rejected:
		return raftError(pb.RaftErrorCode_REJECTED, true)
	case lost:
		return status.Error(codes.Unavailable, "connection reset")
	case unheard:
		effect()
		return raftError(pb.RaftErrorCode_CLUSTER_CLOSED, false)
	case late:
		f.pending.Go(func() {
			select {
			case <-time.After(7 * time.Second):
			case <-f.closing:
			}
			effect()
		})
		return raftError(pb.RaftErrorCode_TIMEOUT, false)
	}
	<-ctx.Done()
	return status.FromContextError(ctx.Err()).Err()
}

func (f *fake) OpenSession(ctx context.Context, address string, cluster uint64) (*pb.Session, error) {
	var session *pb.Session
	err := f.treat(ctx, f.draw(address), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.sessions[cluster] == nil {
			f.sessions[cluster] = map[uint64]map[uint64][]byte{}
		}
		f.clients++
		f.sessions[cluster][f.clients] = map[uint64][]byte{}
		session = &pb.Session{ClusterId: cluster, ClientId: f.clients, SeriesId: 1}
	})
	if err != nil {
		return nil, err
	}
	return session, nil
}

func (f *fake) Propose(ctx context.Context, address string, session *pb.Session, command []byte) (result sm.Result, err error) {
	decoded, err := kv.DecodeCommand(command)
	if err != nil {
		return result, err
	}
	f.recorded.requireOpen(func(op history.Op) bool { return op.Writer == decoded.Writer })
	f.mu.Lock()
	f.proposals[decoded.Writer]++
	if f.doubts[decoded.Writer] {
		f.despite[decoded.Writer] = true
	}
	f.mu.Unlock()
	var answer []byte
	err = f.treat(ctx, f.draw(address), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		answer = f.apply(session, decoded)
		f.answered[decoded.Writer] = address
	})
	if err != nil {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.doubts[decoded.Writer] = f.doubts[decoded.Writer] || client.OutcomeOf(err) == client.Unknown
		return result, err
	}
	return sm.Result{Data: answer}, nil
}

// apply carries out a command as a state machine does, at most once a series.
func (f *fake) apply(session *pb.Session, c kv.Command) []byte {
	series := f.sessions[session.GetClusterId()][session.GetClientId()]
	if answer := series[session.GetSeriesId()]; answer != nil {
		return answer
	}
	store := f.store(session.GetClusterId())
	answer := store.Apply(store.Digest().Applied+1, c.Encode()).Encode()
	f.applied[c.Writer]++
	if series != nil {
		series[session.GetSeriesId()] = answer
	}
	return answer
}

func (f *fake) store(cluster uint64) *kv.Store {
	if f.stores[cluster] == nil {
		f.stores[cluster] = kv.New()
	}
	return f.stores[cluster]
}

func (f *fake) StaleRead(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error) {
	return f.Read(ctx, address, cluster, query)
}

func (f *fake) Read(ctx context.Context, address string, cluster uint64, query []byte) (data []byte, err error) {
	key, _ := kv.KeyOfGet(query)
	f.recorded.requireOpen(func(op history.Op) bool { return op.Kind == history.Get && op.Key == key })
	err = f.treat(ctx, f.draw(address), func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		data = f.store(cluster).Lookup(query)
	})
	if err != nil {
		return nil, err
	}
	return data, nil
}

// memory records a history in memory, and checks the rules of recording.
type memory struct {
	t    *testing.T
	mu   sync.Mutex
	ops  []history.Op
	open map[int64]history.Op // by client
	fail error                // of the next call
	left int                  // calls until fail
}

func (m *memory) Invoke(op history.Op) (history.Handle, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if m.left--; m.left < 0 {
			return 0, m.fail
		}
	}
	if _, busy := m.open[op.Client]; busy {
		m.t.Errorf("client %d has two open operations", op.Client)
	}
	if m.open == nil {
		m.open = map[int64]history.Op{}
	}
	m.open[op.Client] = op
	op.Outcome = history.Unknown
	m.ops = append(m.ops, op)
	return history.Handle(len(m.ops)), nil
}

// requireOpen fails the test unless an operation of that kind was invoked and
// has not returned. A nil memory requires nothing.
func (m *memory) requireOpen(sent func(history.Op) bool) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, op := range m.open {
		if sent(op) {
			return
		}
	}
	m.t.Error("an operation was sent that had not been recorded")
}

func (m *memory) Return(h history.Handle, a history.Answer) (history.Op, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	op := &m.ops[h-1]
	if a.Outcome != history.Unknown { // the client is never used again, otherwise
		delete(m.open, op.Client)
	}
	op.Outcome, op.Observed, op.ObservedWriter, op.Return, op.By = a.Outcome, a.Observed, a.ObservedWriter, a.Return, a.By
	if err := op.Validate(); err != nil {
		m.t.Errorf("recorded an impossible operation: %v", err)
	}
	return *op, nil
}

// scenario returns a small scenario, with settings.
func scenario(t *testing.T, settings ...string) *scenarios.Scenario {
	t.Helper()
	var all []scenarios.Setting
	for _, text := range settings {
		setting, err := scenarios.ParseSetting(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, setting)
	}
	s, err := scenarios.Parse("test.yaml", []byte("name: test\nclusters: {count: 3, statemachine: mixed}\nworkload: {clients: 6, keys: 2, rate: 20}\n"), all...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
