// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// entry is a command at its place in the Raft log. Indexes rise, with gaps:
// the log has entries of other kinds as well, which no state machine sees.
type entry struct {
	index uint64
	cmd   []byte
}

// trial is one check of one test case.
type trial struct {
	kit     *kit
	check   *check
	log     []entry
	queries []any
	plan    *rand.Rand
	dir     string // for files of this trial

	first []result // see reference
	after []state

	mu       sync.Mutex
	steps    []string
	doing    string // the call that the state machine is in
	replicas []*replica
}

// clusterID is that of all replicas.
const clusterID = 1

// entriesOf makes the log of a test case. With it come the choices that were
// drawn, in place of those that were given.
func (k *kit) entriesOf(c testCase) (log []entry, drawn []segment) {
	const gap = 6
	index := uint64(0)
	for _, s := range c.commands {
		choices := s.choices()
		r := rand.New(choices)
		index += 1 + uint64(max(0, r.IntN(gap)-gap/2)) // 0 in half of the cases, and for the lowest choices
		log = append(log, entry{index, k.config.Command(r)})
		drawn = append(drawn, segment{s.seed, choices.drawn})
	}
	return log, drawn
}

// queriesOf makes the queries of a test case.
func (k *kit) queriesOf(c testCase) []any {
	if k.config.Query == nil {
		return nil
	}
	var queries []any
	for _, s := range c.queries {
		queries = append(queries, k.config.Query(rand.New(s.choices())))
	}
	return queries
}

// fail ends the trial: the state machine broke the contract.
func (t *trial) fail(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	panic(&failure{check: t.check, what: fmt.Sprintf(format, args...), log: t.log, steps: slices.Clone(t.steps)})
}

// step notes for a person what is done next.
func (t *trial) step(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = append(t.steps, fmt.Sprintf(format, args...))
}

// forgetSteps drops the steps so far: what comes has nothing to do with them.
func (t *trial) forgetSteps() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.steps = nil
}

// enter notes the call that a state machine is in.
func (t *trial) enter(call string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.doing = call
}

// chance reports true once in n times.
func (t *trial) chance(n int) bool { return t.plan.IntN(n) == n-1 }

// points draws at most n places of the log, in order: before the first entry
// (0), after it (1), up to after the last. Of slow state machines it draws fewer.
func (t *trial) points(n int) []int {
	if t.kit.machine.slow {
		n = max(1, n/slowDivisor)
	}
	all := t.plan.Perm(len(t.log) + 1)
	drawn := all[:min(n, len(all))]
	slices.Sort(drawn)
	return drawn
}

// slowDivisor is how much less is done where replicas wait for a real disk.
const slowDivisor = 4

// entries names a range of the log, from the entry behind one place to another.
func (t *trial) entries(from, to int) string {
	if to == from+1 {
		return fmt.Sprintf("entry %d", to)
	}
	return fmt.Sprintf("entries %d to %d", from+1, to)
}

// place names a place of the log.
func place(at int) string {
	if at == 0 {
		return "before the first entry"
	}
	return fmt.Sprintf("after entry %d", at)
}

// index is the index of the last entry before a place of the log.
func (t *trial) index(at int) uint64 {
	if at == 0 {
		return 0
	}
	return t.log[at-1].index
}

// folder makes a folder for files of this trial.
func (t *trial) folder(name string) string {
	path := filepath.Join(t.dir, name)
	if err := os.MkdirAll(path, 0o755); err != nil {
		t.kit.abort("cannot make a folder: %v", err)
	}
	return path
}

// end closes what the check left open.
func (t *trial) end() {
	for _, r := range t.replicas {
		r.discard()
	}
	if err := os.RemoveAll(t.dir); err != nil {
		t.kit.abort("cannot remove the files of a trial: %v", err)
	}
}

// reference returns what the first replica answers to each entry, applied one
// by one, and what its state is before all and after each of them.
func (t *trial) reference() ([]result, []state) {
	if t.after == nil {
		r := t.start("the first replica")
		after := []state{r.state()}
		for i := range t.log {
			t.first = append(t.first, r.apply(i+1)...)
			after = append(after, r.state())
		}
		t.after = after
		r.discard()
	}
	return t.first, t.after
}

// sameResults compares what a replica answered to the entries behind a place of
// the log with what the first one did.
func (t *trial) sameResults(who string, from int, got []result) {
	want, _ := t.reference()
	for i, g := range got {
		if w := want[from+i]; w.text != g.text {
			a, b := excerpts(w.text, g.text)
			t.fail("Update answers entry %d differently.\nthe first replica: %s\n%s: %s", from+i+1, a, who, b)
		}
	}
}

// sameState compares a replica's state with that of the first one after the
// same entries.
func (t *trial) sameState(r *replica) {
	_, after := t.reference()
	if d := after[r.at].difference("the first replica", r.state(), r.name); d != "" {
		t.fail("The states differ %s.\n%s", place(r.at), d)
	}
}
