// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"math/rand/v2"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
)

// Operations are operations of a state machine that somebody brought along.
type Operations interface {
	// Draw draws an operation on a cluster. It depends on its arguments alone,
	// and may be called from any goroutine.
	Draw(cluster uint64, r *rand.Rand) Operation
}

// Operation is one of them.
type Operation struct {
	// Op is what the history has of it before it is sent: its kind, key and
	// values.
	Op history.Op
	// Command is proposed, if the kind mutates, and what Query returns read if it
	// doesn't.
	Command []byte
	Query   func() []byte
	// Decode returns what the history has of its answer: a proposal's result, or
	// what was read, as Data. The error says that this is no answer.
	Decode func(sm.Result) (history.Answer, error)
	// Do, unless nil, carries the operation out by a client of its own; Command,
	// Query and Decode are not used then. client numbers the clients from 0, each of
	// which has one operation open at a time. The outcome of the answer says what
	// became of it. The error ends the run.
	Do func(ctx context.Context, client int64) (history.Answer, error)
}

// drawsOfBurst bounds the draws for an operation on the same key as the others of
// its burst. There may be none.
const drawsOfBurst = 32

// brought carries out an intent as an operation that was brought along.
func (w *worker) brought(ctx context.Context, in intent) (history.Outcome, error) {
	o := w.operations.Draw(in.cluster, rand.New(rand.NewPCG(w.schedule.seed, in.burst)))
	if in.burst != in.random {
		o = w.another(in, o.Op.Key)
	}
	return w.carryOut(ctx, in, o)
}

// another draws an operation of a burst, on the key of the others if it can.
func (w *worker) another(in intent, key string) Operation {
	drawn := rand.New(rand.NewPCG(w.schedule.seed, in.random))
	o := w.operations.Draw(in.cluster, drawn)
	for i := 0; i < drawsOfBurst && o.Op.Key != key; i++ {
		o = w.operations.Draw(in.cluster, drawn)
	}
	return o
}

func (w *worker) carryOut(ctx context.Context, in intent, o Operation) (history.Outcome, error) {
	o.Op.Client, o.Op.Cluster = w.id, in.cluster
	switch {
	case o.Do != nil:
		return w.byOwnClient(ctx, o)
	case o.Op.Kind.Mutates():
		return w.propose(ctx, in, o)
	}
	return w.query(ctx, in, o)
}

// byOwnClient has the operation's own client do it.
func (w *worker) byOwnClient(ctx context.Context, o Operation) (history.Outcome, error) {
	open, err := w.invoke(o.Op)
	if err != nil {
		return "", err
	}
	answer, err := o.Do(ctx, w.number)
	if err != nil {
		return "", err
	}
	if answer.Outcome == history.Unknown && !o.Op.Kind.Mutates() {
		answer.Outcome = history.Fail // a read has no effect, whatever became of it
	}
	if answer.Outcome == history.Unknown {
		w.id = w.lastID.Add(1) // it may take effect at any time from now on
	}
	return open.end(answer)
}

func (w *worker) query(ctx context.Context, in intent, o Operation) (history.Outcome, error) {
	retrier := w.retrier(in, true)
	o.Op.Host, _ = retrier.address(ctx) // run finds the same error again
	open, err := w.invoke(o.Op)
	if err != nil {
		return "", err
	}
	var data []byte
	query := o.Query()
	outcome, _ := retrier.run(ctx, func(ctx context.Context, address string) (err error) {
		data, err = w.target.Read(ctx, address, in.cluster, query)
		return err
	})
	if outcome != client.OK {
		return open.end(history.Answer{Outcome: history.Fail})
	}
	return w.decoded(open, retrier, o, sm.Result{Data: data})
}

func (w *worker) propose(ctx context.Context, in intent, o Operation) (history.Outcome, error) {
	session, sessionErr := w.session(ctx, in)
	if session.GetClientId() != 0 {
		o.Op.Session, o.Op.Seq = fmt.Sprintf("%d/%d", in.cluster, session.GetClientId()), session.GetSeriesId()
	}
	retrier := w.retrier(in, session.GetClientId() != 0)
	o.Op.Host, _ = retrier.address(ctx)
	open, err := w.invoke(o.Op)
	if err != nil {
		return "", err
	}
	if sessionErr != nil { // nothing was sent
		return open.end(history.Answer{Outcome: history.Fail})
	}
	var result sm.Result
	outcome, runErr := retrier.run(ctx, func(ctx context.Context, address string) (err error) {
		result, err = w.target.Propose(ctx, address, proto.CloneOf(session), o.Command)
		return err
	})
	w.settle(in.cluster, session, outcome, runErr)
	if outcome != client.OK {
		return open.end(history.Answer{Outcome: history.Outcome(outcome.String())})
	}
	return w.decoded(open, retrier, o, result)
}

// decoded records the answer of an operation that was carried out.
func (w *worker) decoded(open openOp, sent *retrier, o Operation, result sm.Result) (history.Outcome, error) {
	answer, err := o.Decode(result)
	if err != nil {
		return "", fmt.Errorf("cluster %d answered the operation %s with what can't be decoded: %w", sent.cluster, o.Op.Value, err)
	}
	answer.By = &history.Replica{Host: sent.answered}
	return open.end(answer)
}

// maxProbeDraws bounds the draws for an operation of a kind that there may be none
// of.
const maxProbeDraws = 1000

// askForBrought asks a cluster for an operation that may change its state, and
// then for one that does not, if there are such.
func (w *worker) askForBrought(ctx context.Context, answer Answer, drawn *rand.Rand) (Answer, error) {
	var err error
	if answer.Wrote, err = w.retryBrought(ctx, answer.Cluster, true, drawn); err != nil || !answer.Wrote {
		return answer, err
	}
	answer.Read, err = w.retryBrought(ctx, answer.Cluster, false, drawn)
	return answer, err
}

// retryBrought asks for operations, one after the other, until one succeeds or ctx
// ends, and reports whether one did.
func (w *worker) retryBrought(ctx context.Context, cluster uint64, mutates bool, drawn *rand.Rand) (bool, error) {
	for ctx.Err() == nil {
		o := w.operations.Draw(cluster, drawn)
		for i := 0; i < maxProbeDraws && o.Op.Kind.Mutates() != mutates; i++ {
			o = w.operations.Draw(cluster, drawn)
		}
		limited, cancel := context.WithTimeout(ctx, w.timeout)
		outcome, err := w.carryOut(limited, intent{cluster: cluster, random: drawn.Uint64()}, o)
		cancel()
		if err != nil || outcome == history.OK {
			return err == nil, err
		}
		pause(ctx, answerBackoff)
	}
	return false, nil
}
