// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// slowReads is a group that takes a second to read.
type slowReads struct {
	*memoryGroup
	rounds int // one at a time
}

func (g *slowReads) read(ctx context.Context, query any) (any, error) {
	g.rounds++
	time.Sleep(time.Second)
	return g.memoryGroup.read(ctx, query)
}

// Who asks for the latest state while a round of Raft is under way shares the next one
// with all others, and is never answered by one that began before he asked.
func TestReadsShareARound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMemoryServer(t, newBase(t))
		g := &slowReads{memoryGroup: w.group}
		w.server.group = g
		var callers sync.WaitGroup
		ask := func(want time.Duration) {
			start := time.Now()
			callers.Go(func() {
				state, err := w.server.latestState(t.Context())
				if err != nil || state != w.group.state || time.Since(start) != want {
					t.Errorf("answered after %v with %v", time.Since(start), err)
				}
			})
		}
		ask(time.Second)
		time.Sleep(time.Second / 2)
		for range 100 {
			ask(3 * time.Second / 2)
		}
		callers.Wait()
		require.Equal(t, 2, g.rounds)

		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := w.server.latestState(short)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		w.server.done.Wait()
	})
}
