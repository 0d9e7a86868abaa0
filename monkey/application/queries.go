// SPDX-License-Identifier: Apache-2.0

package application

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Queries carries queries of any type, and their answers, past the network, over
// which their numbers go. So queries are delayed, lost and cut off like others,
// and a state machine sees the very values that its users pass to Lookup. It is
// safe for concurrent use.
type Queries struct {
	mu   sync.Mutex
	last uint64
	open map[uint64]*query
}

// query is one query, and the answers of those who were asked.
type query struct {
	value   any
	decode  func(answer any, err error) (history.Answer, error)
	answers []decoded
}

// decoded is an answer as it was when it was given: what a state machine returned
// may change.
type decoded struct {
	answer history.Answer
	err    error
}

// NewQueries makes Queries of which none is open.
func NewQueries() *Queries { return &Queries{open: map[uint64]*query{}} }

// Ask returns the bytes that stand for a query. decode is called for what Lookup
// returned, an error included, right then.
func (q *Queries) Ask(value any, decode func(answer any, err error) (history.Answer, error)) []byte {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.last++
	q.open[q.last] = &query{value: value, decode: decode}
	return binary.BigEndian.AppendUint64(nil, q.last)
}

// answer has a query answered by the given Lookup, and returns the bytes that
// stand for the answer.
func (q *Queries) answer(number []byte, lookup func(any) (any, error)) ([]byte, error) {
	x, err := q.find(number)
	if err != nil {
		return nil, err
	}
	var d decoded
	d.answer, d.err = x.decode(lookup(x.value))
	q.mu.Lock()
	defer q.mu.Unlock()
	x.answers = append(x.answers, d)
	return binary.BigEndian.AppendUint64(number[:8:8], uint64(len(x.answers)-1)), nil
}

func (q *Queries) find(number []byte) (*query, error) {
	if len(number) < 8 {
		return nil, fmt.Errorf("found a query of %d bytes, expected the number of one", len(number))
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	x := q.open[binary.BigEndian.Uint64(number)]
	if x == nil {
		return nil, fmt.Errorf("query %d is not asked any more", binary.BigEndian.Uint64(number))
	}
	return x, nil
}

// Answered returns the answer that bytes stand for. The query is closed.
func (q *Queries) Answered(number []byte) (history.Answer, error) {
	x, err := q.find(number)
	if err != nil {
		return history.Answer{}, err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.open, binary.BigEndian.Uint64(number))
	if len(number) != 16 || binary.BigEndian.Uint64(number[8:]) >= uint64(len(x.answers)) {
		return history.Answer{}, fmt.Errorf("found an answer of %d bytes, expected the number of one", len(number))
	}
	d := x.answers[binary.BigEndian.Uint64(number[8:])]
	return d.answer, d.err
}
