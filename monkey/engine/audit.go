// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/audit"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

const (
	// glances is how often the audit follows DrummerDB in a tick of its clock, and
	// disksEvery how many ticks come before a look at disks, too.
	glances    = 5
	disksEvery = 5
	// askEvery is the time between two questions to a Drummer server, askTimeout how long
	// the answer may take.
	askEvery   = 3 * time.Second
	askTimeout = 2 * time.Second
)

// audited is a world whose Drummer servers can be looked into.
type audited interface {
	Auditor() *audit.Auditor
	Audited(depth int) ([]audit.Server, audit.Truth)
}

// auditing is the audit of a run.
type auditing struct {
	mu      sync.Mutex
	record  *invariant.Audit // nil: the world can't be looked into
	answers int              // of Drummer servers, that were compared
	noted   []invariant.DrummerBreach
}

// watch looks about once a tick of Drummer's clock, until ctx ends, and stops the run at
// the first thing that is wrong: what comes after it is its consequence.
func (x *auditing) watch(ctx context.Context, r *runner) {
	w, ok := r.w.(audited)
	if !ok {
		return
	}
	auditor, told := w.Auditor(), 0
	x.mu.Lock()
	x.record = auditor.Record()
	x.mu.Unlock()
	for looks := 0; sleep(ctx, r.scenario.Drummer.Heartbeat.D()/glances); looks++ {
		depth := 0
		if looks%glances == 0 {
			depth = 1
		}
		if looks%(glances*disksEvery) == 0 {
			depth = 2
		}
		servers, truth := w.Audited(depth)
		truth.Hampered = r.injector.Hampers()
		x.mu.Lock()
		if depth == 0 {
			auditor.Glance(time.Since(r.start), servers, truth)
		} else {
			auditor.Look(time.Since(r.start), servers, truth)
		}
		x.mu.Unlock()
		for _, b := range x.record.Breaches[told:] {
			r.drummerErred(b)
		}
		told = len(x.record.Breaches)
	}
}

// drummerErred stops the run at what is wrong with Drummer, if the check is on.
func (r *runner) drummerErred(b invariant.DrummerBreach) {
	if r.scenario.Checks.Enabled(b.Check) {
		r.events.Add(timeline.DrummerErred{Check: b.Check, Cluster: b.Cluster, Text: b.Text})
		r.stop(errViolation)
	}
}

// note notes what is wrong that the audit itself does not see.
func (x *auditing) note(r *runner, check, format string, args ...any) {
	b := invariant.DrummerBreach{Check: check, At: int64(time.Since(r.start)), Text: fmt.Sprintf(format, args...)}
	x.mu.Lock()
	x.noted = append(x.noted, b)
	x.mu.Unlock()
	r.drummerErred(b)
}

// result is all that was seen; nil: the world can't be looked into.
func (x *auditing) result() *invariant.Audit {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.record != nil {
		x.record.Answers = x.answers
		x.record.Breaches = append(x.record.Breaches, x.noted...)
	}
	return x.record
}

// ask asks the Drummer servers by turns, each by a client of its own, until ctx ends. What
// is answered is not older than what any server had applied when the question was asked.
func (x *auditing) ask(ctx context.Context, r *runner) {
	var clients []*client.Client
	for _, h := range r.w.Hosts() {
		if h.Role != world.Drummer {
			continue
		}
		c, err := client.New(client.Config{Drummers: []string{h.APIAddress}, Dial: r.w.DialContext, Rand: r.rand("ask " + h.Name), TryTimeout: askTimeout})
		if err != nil {
			return // the scenario's own client has said so
		}
		defer c.Close()
		clients = append(clients, c)
	}
	for turn := 0; len(clients) > 0 && sleep(ctx, askEvery); turn++ {
		before := uint64(0)
		for _, s := range r.w.DrummerStates() {
			before = max(before, s.Index)
		}
		limited, cancel := context.WithTimeout(ctx, askTimeout)
		what, index, err := ask(limited, clients[turn%len(clients)], turn/len(clients))
		cancel()
		if turn%givesUpTurns == 0 {
			x.persists(ctx, r)
		}
		if err != nil {
			continue
		}
		x.mu.Lock()
		x.answers++
		x.mu.Unlock()
		if index < before {
			x.note(r, "freshness", "a Drummer server answered %s as of index %d, and index %d had been applied before it was asked", what, index, before)
		}
	}
}

// givesUpTurns is how many questions come before one by the run's own client, which knows
// all servers: it goes on until one answers, or the time given to it is over.
const givesUpTurns = 3

// persists asks by the run's own client, and judges an error that comes too soon.
func (x *auditing) persists(ctx context.Context, r *runner) {
	limited, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	began := time.Now()
	if _, err := r.drummer.ListOperations(limited); err != nil && ctx.Err() == nil && time.Since(began) < askTimeout-askTimeout/10 {
		x.note(r, "freshness", "Drummer's client gave up after %v of %v: %v", time.Since(began), askTimeout, err)
	}
}

// ask asks one of several questions, and returns as of which index it was answered.
func ask(ctx context.Context, c *client.Client, question int) (what string, index uint64, err error) {
	if question%2 == 0 {
		out, err := c.LocatePage(ctx, &pb.LocateRequest{Limit: 1})
		return "where clusters are", out.GetDbIndex(), err
	}
	out, err := c.ListNodeHostsPage(ctx, "", 1)
	return "which NodeHosts there are", out.GetDbIndex(), err
}
