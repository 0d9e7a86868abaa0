// SPDX-License-Identifier: Apache-2.0

package checker_test

import (
	"context"
	"fmt"

	"github.com/drumbeat-raft/drumbeat/checker"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
)

// A history that the monkey recorded over a state machine with a planted bug is judged.
func Example() {
	ctx := context.Background()
	h, err := checker.Load(ctx, "../testdata/histories/002-1-concurrent-dirty-cas.jsonl.zst", checker.Options{})
	if err != nil {
		panic(err)
	}
	r, err := h.Check(ctx, linear.Options{})
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Len(), "operations:", r.Verdict)
	// Output: 159 operations: violation
}
