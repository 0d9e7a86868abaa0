// SPDX-License-Identifier: Apache-2.0

package role

import (
	"cmp"
	"log/slog"
	"slices"
	"sync"
	"time"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// logPause is the least time between two log lines about the same role and
	// method, so that a flood of refused calls does not fill the disk.
	logPause = 10 * time.Second
	// otherMethods stands for those that no table has: anybody may invent names.
	otherMethods = "other"
)

// refused is what is counted together. There are as many as roles times methods of
// the table, at most.
type refused struct {
	role   Role
	method string
}

// refusals counts and logs what was refused.
type refusals struct {
	log *slog.Logger

	mu     sync.Mutex
	counts map[refused]*refusalCount
}

type refusalCount struct {
	total  uint64
	logged time.Time // when it was logged last
	silent uint64    // refused since, without a line
}

func newRefusals(log *slog.Logger) *refusals {
	return &refusals{log: log, counts: map[refused]*refusalCount{}}
}

// add counts one, and logs it unless that was done a moment ago.
func (r *refusals) add(caller Identity, method, from string, why error) {
	key := refused{caller.Role, method}
	if _, listed := table[method]; !listed {
		key.method = otherMethods
	}
	silent, say := r.count(key)
	if say {
		r.log.Warn("a call was refused", "method", shorten(method), "role", caller.Role, "name", caller.Name, "from", from, "why", why, "more-since-the-last-line", silent)
	}
}

func (r *refusals) count(key refused) (silent uint64, say bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.counts[key]
	if c == nil {
		c = &refusalCount{}
		r.counts[key] = c
	}
	c.total++
	now := time.Now()
	if !c.logged.IsZero() && now.Sub(c.logged) < logPause {
		c.silent++
		return 0, false
	}
	silent, c.silent, c.logged = c.silent, 0, now
	return silent, true
}

// list has all counts, in order.
func (r *refusals) list() []*pb.Refusals {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]*pb.Refusals, 0, len(r.counts))
	for key, c := range r.counts {
		out = append(out, &pb.Refusals{Role: string(key.role), Method: key.method, Count: c.total})
	}
	slices.SortFunc(out, func(a, b *pb.Refusals) int {
		return cmp.Or(cmp.Compare(a.GetMethod(), b.GetMethod()), cmp.Compare(a.GetRole(), b.GetRole()))
	})
	return out
}
