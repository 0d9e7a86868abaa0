// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/engine"
	"github.com/drumbeat-raft/drumbeat/monkey/internal/testline"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// Fuzz is Test with the seed and the faults drawn by go test -fuzz. An input is a
// seed, which draws the operations, and a plan: bytes that stand for faults, four
// each, in place of those of the scenario, and none for the scenario's own. The
// scenario is run as with -short. What is found lands in testdata/fuzz, as always,
// and go test runs it from then on.
//
// Inconclusive runs are skipped: a plan may ask for anything, also for what leaves
// nothing to judge.
func Fuzz(f *testing.F, c Config) {
	f.Helper()
	place := placeOf(f.Name())
	r := newRunner(f, c, place)
	r.fuzzing = true
	r.args = []string{"-test.run=" + testline.Pattern(f.Name()), "-test.timeout=0", "-test.count=1"}
	f.Add(uint64(1), []byte(nil))
	f.Fuzz(func(t *testing.T, seed uint64, plan []byte) {
		engine.InTest(t, place, r.app) // the child has its seed and its plan from its parent
		if engine.InChild() {
			return
		}
		r.fuzz(t, seed, plan)
	})
}

// fuzz runs one input.
func (r *runner) fuzz(t *testing.T, seed uint64, plan []byte) {
	t.Helper()
	one := *r
	if err := one.makeOut(t.Name()); err != nil {
		t.Fatalf("monkey: %s", err)
	}
	one.name = t.Name()
	o := one.options(seed)
	o.Sets = append(o.Sets, faultsOf(plan)...)
	result, err := one.one(t.Context(), seed, o)
	if err != nil {
		t.Fatalf("monkey: seed %d: %s", seed, err)
	}
	if result.Verdict == judge.Inconclusive {
		one.forget(result)
		t.Skipf("monkey: seed %d: inconclusive", seed)
	}
	one.passed(t, outcome{seed, result, nil})
}

// The faults of plans. They need no parameters.
var (
	planned  = []string{"kill", "power-loss", "partition"}
	targets  = []string{"nodehost-1", "nodehost-2", "nodehost-3", "cluster-leader"}
	longest  = 30 * time.Second // a fault of a plan
	maxPlan  = 32               // faults
	faultLen = 4                // bytes of a fault
)

// faultsOf is a setting for the faults that a plan stands for; none for none.
func faultsOf(plan []byte) []string {
	var faults []string
	for len(plan) >= faultLen && len(faults) < maxPlan {
		kind, target := planned[int(plan[0])%len(planned)], targets[int(plan[1])%len(targets)]
		at := time.Duration(plan[2]) * time.Duration(shortDuration) / 256
		long := time.Second + time.Duration(plan[3])*longest/256
		faults = append(faults, fmt.Sprintf("{kind: %s, target: %s, at: [%s], for: %s}",
			kind, target, scenarios.Duration(at.Round(time.Millisecond)), scenarios.Duration(long.Round(time.Millisecond))))
		plan = plan[faultLen:]
	}
	if len(faults) == 0 {
		return nil
	}
	return []string{"faults=[" + strings.Join(faults, ", ") + "]"}
}
