// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/application"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
)

// AnyWorkload is a Workload of any types.
type AnyWorkload interface {
	// join adds the workload, with the configuration's model and invariants, to an
	// application.
	join(Config, *application.Application) error
	// check tries the workload on its own.
	check(Config) error
}

// Workload is what clients ask for. Op is an operation and Answer what it is
// answered; both go into the history, and must survive encoding/json.
//
// When clients ask, how many at once, how often and with which timeout is the
// scenario's matter.
type Workload[Op, Answer any] struct {
	// Next draws an operation. It must depend on r alone. Let it draw from few keys,
	// so that operations meet.
	Next func(r *rand.Rand) Op
	// Encode makes of an operation what is sent to a cluster.
	Encode func(op Op) Request
	// Decode makes an answer of what came back. An error means that this is no
	// answer at all, and ends the run.
	Decode func(op Op, reply Reply) (Answer, error)
	// Connect makes a client, which is used in place of Encode and Decode, and of the
	// NodeHost API that they need. ReadOnly reports whether an operation changes
	// nothing, whatever becomes of it; nil: none is such.
	Connect  func(ClientEnv) (Client[Op, Answer], error)
	ReadOnly func(Op) bool
}

// Request is what is sent to a cluster: see Propose and Query.
type Request struct {
	command []byte
	query   any
	reads   bool
}

// Propose has the command proposed. It comes to Update.
func Propose(command []byte) Request { return Request{command: command} }

// Query has the query read linearizably. It comes to Lookup, as it is: the
// simulated network does not encode it.
func Query(query any) Request { return Request{query: query, reads: true} }

// Reply is what came back.
type Reply struct {
	// Result is what Update returned for a command.
	Result sm.Result
	// Answer and Err are what Lookup returned for a query. What is kept of Answer
	// has to be copied: it may be a part of the state.
	Answer any
	Err    error
}

// operations implements workload.Operations.
type operations[Op, Answer any] struct {
	Workload[Op, Answer]
	spoken  language
	queries *application.Queries
	watch   *watch
	clients *clients[Op, Answer] // nil: requests are sent to the NodeHost API
}

// Enter implements application.Clients.
func (o *operations[Op, Answer]) Enter(p application.Place) {
	if o.Connect != nil {
		o.clients = &clients[Op, Answer]{connect: o.Connect, place: p}
	}
}

// Leave implements application.Clients.
func (o *operations[Op, Answer]) Leave() error {
	if o.clients == nil {
		return nil
	}
	return o.clients.close()
}

func (w Workload[Op, Answer]) join(c Config, a *application.Application) error {
	switch {
	case w.Next == nil || w.Connect == nil && (w.Encode == nil || w.Decode == nil):
		return errors.New("Config.Workload needs Next, and Encode and Decode or Connect")
	case w.Connect == nil && c.Host != nil:
		return errors.New("Config.Workload needs Connect: a program of your own has no NodeHost API that Encode and Decode could use")
	}
	spoken, err := c.language(reflect.TypeFor[Op](), reflect.TypeFor[Answer]())
	if err != nil {
		return err
	}
	watch, err := newWatch(c.Invariants, reflect.TypeFor[Op](), reflect.TypeFor[Answer]())
	if err != nil {
		return err
	}
	a.Keyed = spoken.keyed()
	a.Operations = func(q *application.Queries) workload.Operations {
		return &operations[Op, Answer]{Workload: w, spoken: spoken, queries: q, watch: watch}
	}
	for _, i := range c.Invariants {
		if i.replica != nil {
			a.Replicas = append(a.Replicas, application.ReplicaInvariant{Name: i.name, Check: i.replica})
		}
	}
	if watch.wanted() {
		a.Broken = watch.broken
	}
	return nil
}

// Draw implements workload.Operations.
func (o *operations[Op, Answer]) Draw(cluster uint64, r *rand.Rand) workload.Operation {
	op := o.Next(r)
	if o.Connect != nil {
		return o.byClient(cluster, op)
	}
	request := o.Encode(op)
	out := workload.Operation{Op: o.spoken.begin(op, request.reads), Command: request.command}
	out.Op.Key = fmt.Sprintf("%d/%s", cluster, out.Op.Key)
	out.Decode = func(result sm.Result) (history.Answer, error) {
		return o.answered(cluster, op, Reply{Result: result})
	}
	if request.reads {
		out.Query = func() []byte {
			return o.queries.Ask(request.query, func(answer any, err error) (history.Answer, error) {
				return o.answered(cluster, op, Reply{Answer: answer, Err: err})
			})
		}
		out.Decode = func(result sm.Result) (history.Answer, error) { return o.queries.Answered(result.Data) }
	}
	return out
}

// byClient is an operation that a client of its own carries out.
func (o *operations[Op, Answer]) byClient(cluster uint64, op Op) workload.Operation {
	out := workload.Operation{Op: o.spoken.begin(op, o.ReadOnly != nil && o.ReadOnly(op))}
	out.Op.Key = fmt.Sprintf("%d/%s", cluster, out.Op.Key)
	out.Do = func(ctx context.Context, number int64) (history.Answer, error) {
		c, err := o.clients.of(number)
		if err != nil {
			return history.Answer{}, err
		}
		answer, err := c.Do(ctx, cluster, op)
		if err != nil {
			return history.Answer{Outcome: outcomeOf(err)}, nil
		}
		o.watch.look(cluster, op, answer)
		return o.spoken.end(op, answer)
	}
	return out
}

// answered is what the history has of an answer, which the invariants have seen.
func (o *operations[Op, Answer]) answered(cluster uint64, op Op, reply Reply) (history.Answer, error) {
	answer, err := o.Decode(op, reply)
	if err != nil {
		return history.Answer{}, err
	}
	o.watch.look(cluster, op, answer)
	return o.spoken.end(op, answer)
}

// triedOps is how many operations are tried before anything is run.
const triedOps = 100

// check draws some operations, and looks whether they depend on the random numbers
// alone and survive being written down.
func (w Workload[Op, Answer]) check(c Config) error {
	for seed := range uint64(triedOps) {
		draw := func() Op { return w.Next(rand.New(rand.NewPCG(seed, 0))) }
		op, again := draw(), draw()
		if !reflect.DeepEqual(op, again) {
			return fmt.Errorf("Workload.Next made %+v and then %+v of the same random numbers. It must depend on its *rand.Rand alone, and mustn't range over a map", op, again)
		}
		if err := survives(op); err != nil {
			return fmt.Errorf("an operation does not survive encoding/json: %w. Give its type exported fields, or MarshalJSON and UnmarshalJSON", err)
		}
		if w.Connect != nil {
			continue
		}
		if a, b := w.Encode(op), w.Encode(op); !bytes.Equal(a.command, b.command) || a.reads != b.reads {
			return fmt.Errorf("Workload.Encode made %q and then %q of %+v. It must depend on the operation alone", a.command, b.command, op)
		}
	}
	return nil
}

// survives reports whether a value is the same when it was written down and read
// again.
func survives[T any](v T) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	var read T
	if err := json.Unmarshal(b, &read); err != nil {
		return err
	}
	if !reflect.DeepEqual(v, read) {
		return fmt.Errorf("%+v was read as %+v", v, read)
	}
	return nil
}
