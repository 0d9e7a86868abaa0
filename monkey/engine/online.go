// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"sync"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/online"
	"github.com/drumbeat-raft/drumbeat/checker/linear/writers"
)

// onlineSlack is by how much the ends of operations may come to be judged out
// of their order, in nanoseconds: clients are many goroutines.
const onlineSlack = int64(1e9)

// judgingRecorder records a history, and judges it as it grows. What is found
// here is found again when the whole history is judged; it is for stopping
// early.
type judgingRecorder struct {
	*history.Recorder
	online *online.Judge
	// objects: keys hold objects, which are judged by the names of writes alone.
	objects bool
	// found is told of every violation, from any goroutine.
	found func(*online.Violation)

	mu      sync.Mutex
	tickets map[history.Handle]online.Ticket // of open operations
}

func newJudgingRecorder(r *history.Recorder, objects bool, found func(*online.Violation)) *judgingRecorder {
	return &judgingRecorder{Recorder: r, online: online.New(onlineSlack), objects: objects, found: found, tickets: map[history.Handle]online.Ticket{}}
}

// Invoke implements workload.Recorder.
func (j *judgingRecorder) Invoke(op history.Op) (history.Handle, error) {
	h, err := j.Recorder.Invoke(op)
	if err != nil {
		return h, err
	}
	if op.Kind == history.Stale {
		return h, nil
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	judged := j.as(op)
	j.tickets[h] = j.online.Begin(&judged)
	return h, nil
}

// Return implements workload.Recorder.
func (j *judgingRecorder) Return(h history.Handle, a history.Answer) (history.Op, error) {
	op, err := j.Recorder.Return(h, a)
	if err != nil || op.Kind == history.Stale {
		return op, err
	}
	j.mu.Lock()
	ticket := j.tickets[h]
	delete(j.tickets, h)
	j.mu.Unlock()
	judged := j.as(op)
	if v := j.online.End(ticket, &judged); v != nil {
		v.Op = op
		j.found(v)
	}
	return op, nil
}

// as is an operation as it is judged.
func (j *judgingRecorder) as(op history.Op) history.Op {
	if !j.objects {
		return op
	}
	as := writers.AsRegister(op)
	if op.Kind.Mutates() && op.Outcome == history.Fail { // it was begun as a write
		as.Kind, as.Value, as.Writer, as.Outcome = history.Put, history.String(op.Writer), op.Writer, op.Outcome
	}
	return as
}
