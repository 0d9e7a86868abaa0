// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// maxAppended is the length beyond which a value is replaced, not appended to.
const maxAppended = 1 << 10

// worker is one client, or one of its operations where it may have several open.
// It does one operation at a time, and is a process of its own in the history.
type worker struct {
	*Workload
	target     Target                 // its own, in place of the workload's
	number     int64                  // from 0, of its own for the whole run
	id         int64                  // changes after an unknown outcome
	seq        int                    // of the last write under this id
	registered bool                   // it uses registered sessions where it can
	sessions   map[uint64]*pb.Session // by cluster, ready for the next proposal
	own        *known                 // what this client itself was answered
	think      *rand.Rand             // draws think times
}

func (w *Workload) newWorker(target Target, registered bool, own *known) *worker {
	id := w.lastID.Add(1)
	return &worker{Workload: w, target: target, number: id - 1, id: id, registered: registered, sessions: map[uint64]*pb.Session{}, own: own,
		think: rand.New(rand.NewPCG(w.schedule.seed, uint64(id)))}
}

// work carries out intents until there are no more. After each it thinks.
func (w *worker) work(ctx context.Context, intents <-chan intent) error {
	for in := range intents {
		if _, err := w.do(ctx, in); err != nil {
			return err
		}
		if t := w.thinking.Draw(w.think); t > 0 {
			thinking, cancel := context.WithTimeout(ctx, t)
			select {
			case <-thinking.Done():
			case <-w.finish:
			}
			cancel()
		}
	}
	return nil
}

// do carries out an intent and records it. The error is of the harness, and
// ends the run: what the deployment does wrong is in the history.
func (w *worker) do(ctx context.Context, in intent) (history.Outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, w.timeout)
	defer cancel()
	switch {
	case w.operations != nil:
		return w.brought(ctx, in)
	case in.kind == history.Get:
		return w.get(ctx, in, w.target.Read)
	case in.kind == history.Stale:
		return w.get(ctx, in, w.target.StaleRead)
	}
	return w.write(ctx, in)
}

// retrier sends an intent's operation. repeatable: see there.
func (w *worker) retrier(in intent, repeatable bool) *retrier {
	return &retrier{target: w.target, cluster: in.cluster, member: in.member(), host: in.host, timeout: w.timeout, repeatable: repeatable}
}

// get carries out a get or a stale read, by read.
func (w *worker) get(ctx context.Context, in intent, read func(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error)) (history.Outcome, error) {
	retrier := w.retrier(in, true)
	host, _ := retrier.address(ctx) // run finds the same error again
	open, err := w.invoke(history.Op{Client: w.id, Key: in.key, Kind: in.kind, Cluster: in.cluster, Host: host})
	if err != nil {
		return "", err
	}
	var data []byte
	outcome, _ := retrier.run(ctx, func(ctx context.Context, address string) (err error) {
		data, err = read(ctx, address, in.cluster, kv.GetQuery(in.key))
		return err
	})
	if outcome != client.OK {
		// A read has no effect, whatever became of it.
		return open.end(history.Answer{Outcome: history.Fail})
	}
	answer, err := kv.DecodeAnswer(data)
	if err != nil || answer.Status != kv.OK {
		return "", impossibleAnswer(in.cluster, history.Get, in.key, answer, err)
	}
	if in.kind == history.Get {
		w.learn(kv.Command{Key: in.key}, answer)
	}
	a := history.Answer{Outcome: history.OK, Observed: w.observed(answer.Observed.Value), By: retrier.replica(answer)}
	w.nameWriters(&a, answer.Observed)
	return open.end(a)
}

// nameWriters says whose state was seen, and of an object which writes were before.
func (w *worker) nameWriters(a *history.Answer, seen kv.State) {
	a.ObservedWriter = writerOf(seen)
	if w.object != nil && seen.Index != 0 {
		trail := seen.Trail()
		a.ObservedWriter, a.Trail = trail[0], trail[1:]
	}
}

// observed is what the history has of a value that was read.
func (w *worker) observed(m kv.Maybe) history.Value {
	if w.object != nil {
		return w.object.observed(m)
	}
	return valueOf(m)
}

// write carries out all kinds but get. The session comes first, because the
// record of the write names it: registering one is a proposal of its own, which
// changes no key, and no part of the operation.
func (w *worker) write(ctx context.Context, in intent) (history.Outcome, error) {
	command, op := w.draw(in)
	session, sessionErr := w.session(ctx, in)
	if session.GetClientId() != 0 {
		op.Session, op.Seq = fmt.Sprintf("%d/%d", in.cluster, session.GetClientId()), session.GetSeriesId()
	}
	retrier := w.retrier(in, session.GetClientId() != 0)
	op.Host, _ = retrier.address(ctx)
	open, err := w.invoke(op)
	if err != nil {
		return "", err
	}
	if sessionErr != nil { // nothing was sent
		return open.end(history.Answer{Outcome: history.Fail})
	}
	var result sm.Result
	outcome, runErr := retrier.run(ctx, func(ctx context.Context, address string) (err error) {
		result, err = w.target.Propose(ctx, address, proto.CloneOf(session), command.Encode())
		return err
	})
	w.settle(in.cluster, session, outcome, runErr)
	if outcome != client.OK {
		return open.end(history.Answer{Outcome: history.Outcome(outcome.String())})
	}
	return w.answered(open, retrier, command, result.Data)
}

// answered records the result of a command that was applied.
func (w *worker) answered(open openOp, sent *retrier, command kv.Command, data []byte) (history.Outcome, error) {
	cluster := sent.cluster
	answer, err := kv.DecodeAnswer(data)
	if err != nil || answer.Status == kv.Invalid || answer.Status == kv.Mismatch && command.Op != kv.CAS && command.Op != kv.Transfer {
		return "", impossibleAnswer(cluster, command.Op, command.Key, answer, err)
	}
	switch {
	case w.object != nil:
		return w.updated(open, sent, command, answer)
	case answer.Status == kv.OK:
		w.learn(command, answer)
		w.written.add(cluster, command.Key)
		return open.end(history.Answer{Outcome: history.OK, ObservedWriter: writerOf(answer.Observed), By: sent.replica(answer)})
	case answer.Status == kv.Mismatch:
		w.learn(command, answer)
		return open.end(history.Answer{Outcome: history.Fail, Observed: valueOf(answer.Observed.Value), ObservedWriter: writerOf(answer.Observed),
			By: sent.replica(answer)})
	}
	return open.end(history.Answer{Outcome: history.Fail})
}

// updated records the result of an update of an object that was applied, or refused.
func (w *worker) updated(open openOp, sent *retrier, command kv.Command, answer kv.Answer) (history.Outcome, error) {
	a := history.Answer{Outcome: history.OK, By: sent.replica(answer)}
	w.nameWriters(&a, answer.Observed)
	switch {
	case answer.Status == kv.Mismatch:
		a.Outcome, a.Refuted = history.Fail, true
	case answer.Status != kv.OK:
		return open.end(history.Answer{Outcome: history.Fail})
	default:
		a.Observed = w.object.answered(command.Op, answer.Observed.Value)
		w.written.add(sent.cluster, command.Key)
	}
	return open.end(a)
}

// impossibleAnswer is the error of an answer that no state machine, not even one
// with a planted bug, gives. err says why it could not be decoded; nil: it could.
func impossibleAnswer(cluster uint64, op any, key string, answer kv.Answer, err error) error {
	if err != nil {
		return fmt.Errorf("cluster %d answered a %v of %s with bytes that are no answer: %w", cluster, op, key, err)
	}
	return fmt.Errorf("cluster %d answered a %v of %s with status %s, which that can not get", cluster, op, key, answer.Status)
}

// settle prepares the sessions and the client id for the next operation.
func (w *worker) settle(cluster uint64, session *pb.Session, outcome client.Outcome, err error) {
	code := client.RaftErrorOf(err).GetCode()
	switch {
	case outcome == client.Unknown:
		// The operation may take effect at any time from now on, so nothing
		// that follows may come from the same process.
		w.id, w.seq = w.lastID.Add(1), 0
		delete(w.sessions, cluster)
	case session.GetClientId() == 0:
	case code == pb.RaftErrorCode_REJECTED || code == pb.RaftErrorCode_INVALID_SESSION:
		delete(w.sessions, cluster)
	default:
		// Also after a failure: a series stands for one operation only.
		client.Completed(session)
	}
}

// session returns the session for the next proposal to a cluster, registered
// now if need be.
func (w *worker) session(ctx context.Context, in intent) (*pb.Session, error) {
	if !w.registered || w.onDisk(in.cluster) {
		return client.NoOpSession(in.cluster), nil
	}
	if session := w.sessions[in.cluster]; session != nil {
		return session, nil
	}
	// A registration of unknown outcome leaves a session that nobody uses, so
	// it may be repeated.
	_, err := w.retrier(in, true).run(ctx, func(ctx context.Context, address string) error {
		session, err := w.target.OpenSession(ctx, address, in.cluster)
		if err == nil {
			w.sessions[in.cluster] = session
		}
		return err
	})
	return w.sessions[in.cluster], err
}

// draw makes an intent into a command, and the operation that records it. The
// value, unique in the run, names the write, too.
func (w *worker) draw(in intent) (kv.Command, history.Op) {
	w.seq++
	writer := fmt.Sprintf("c%d-%d", w.id, w.seq)
	if w.object != nil {
		return w.drawUpdate(in, writer)
	}
	seen := w.expect(in)
	if in.kind == history.Append && len(seen.Text) > maxAppended {
		in.kind = history.Put
	}
	value := w.padded(writer, in.random)
	command := kv.Command{Key: in.key, Value: kv.Some(value), Writer: writer}
	op := history.Op{Client: w.id, Key: in.key, Kind: in.kind, Value: history.String(value), Writer: writer, Cluster: in.cluster}
	switch in.kind {
	case history.Put:
		command.Op = kv.Put
	case history.Cas:
		command.Op = kv.CAS
		command.Expected, op.Expected = seen, valueOf(seen)
	case history.Append:
		command.Op = kv.Append
	case history.Delete:
		command.Op = kv.Delete
		command.Value, op.Value = kv.Maybe{}, history.Value{}
	}
	return command, op
}

// drawUpdate makes an intent into an update of an object.
func (w *worker) drawUpdate(in intent, writer string) (kv.Command, history.Op) {
	command := kv.Command{Key: in.key, Writer: writer}
	op := history.Op{Client: w.id, Key: in.key, Writer: writer, Cluster: in.cluster}
	command.Op, op.Kind, command.Value, op.Value = w.object.update(rand.New(rand.NewPCG(w.schedule.seed, in.random)), writer)
	return command, op
}

// padded returns a value that is unique in the run, of a size that is drawn.
func (w *worker) padded(name string, random uint64) string {
	size := 0
	if w.settings.ValueBytes > 0 {
		size = rand.New(rand.NewPCG(w.schedule.seed, random)).IntN(w.settings.ValueBytes + 1)
	}
	return name + strings.Repeat(".", max(0, size-len(name)))
}

// expect returns what a key may be expected to hold. For one intent in four
// that is what this client itself saw last, which is often out of date: cas
// that do not match are worth testing, too.
func (w *worker) expect(in intent) kv.Maybe {
	if in.random>>32%4 == 0 {
		return w.own.get(in.key).Value
	}
	return w.known.get(in.key).Value
}

// learn takes in an answer.
func (w *worker) learn(c kv.Command, a kv.Answer) {
	w.own.learn(c, a)
	w.known.learn(c, a)
}

func valueOf(m kv.Maybe) history.Value {
	if !m.Present {
		return history.Absent
	}
	return history.String(m.Text)
}

// replica says who gave an answer, as far as the answer says. Which node that
// was, in which term, is known from what nodes announce of their leaders.
func (r *retrier) replica(a kv.Answer) *history.Replica {
	return &history.Replica{Host: r.answered, Applied: a.Applied}
}

func writerOf(s kv.State) string {
	if s.Index == 0 {
		return history.InitialWriter
	}
	return s.Writer
}
