// SPDX-License-Identifier: Apache-2.0

package monkey

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/report"
	"github.com/drumbeat-raft/drumbeat/monkey/shrink"
)

// lastRuns is left of the test's time for the runs of the smallest scenario.
const lastRuns = 30 * time.Second

// shrink looks for the smallest scenario that shows the violation of a run, and tells
// how to run it.
func (r *runner) shrink(t *testing.T, failed *judge.Result) {
	t.Helper()
	limit := *shrinkFlag
	if deadline, limited := t.Deadline(); limited {
		limit = min(limit, time.Until(deadline)-lastRuns)
	}
	if limit <= 0 {
		t.Log("monkey: there is no time left to shrink the run. Give the test more with -timeout")
		return
	}
	exactly := exact.Built() == nil
	s, err := harness.Shrink(t.Context(), harness.ShrinkOptions{Dir: failed.Dir, Out: filepath.Join(failed.Dir, "shrunk"),
		Exact: exactly, Guest: r.guest(), Change: r.adapt, Jobs: r.config.Parallel, Limit: limit})
	switch {
	case errors.Is(err, shrink.ErrNotShown), errors.Is(err, context.Canceled):
		t.Logf("monkey: the run can't be shrunk: %s", err)
		return
	case err != nil:
		t.Errorf("monkey: the run can't be shrunk: %s", err)
		return
	}
	var b strings.Builder
	if err := report.ShrunkTable(&b, s.Violation, s.Before, s.After); err != nil {
		t.Errorf("monkey: %s", err)
	}
	if !exactly {
		fmt.Fprintf(&b, "\nOf %d runs of it %d showed the violation. All do where runs are exact:\n  go test %s …\n", s.Of, s.Shown, withOverlay)
	}
	t.Logf("monkey: the smallest scenario that was found\n%s\n%d runs in %.0f s\n%s\n%s\n\nReproduce\n  %s\n", &b, s.Runs, s.Seconds, s.File, s.Explanation, s.Result.Reproduce)
}
