// SPDX-License-Identifier: Apache-2.0

package role

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A flood of refused calls is counted whole and logged by a line in a while, whatever
// names the callers invent.
func TestFloodDoesNotFillTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		r := newRefusals(slog.New(slog.NewTextHandler(&log, nil)))
		const calls, pause = 100_000, time.Millisecond
		for i := range calls {
			id := Identity{Name: fmt.Sprint("eve-", i), Role: Reader}
			r.add(id, pb.Fleet_DeleteClusters_FullMethodName, "10.0.0.66:1", errors.New("no"))
			r.add(id, fmt.Sprint("/invented/", i), "10.0.0.66:1", errors.New("no"))
			time.Sleep(pause)
		}
		require.Equal(t, 2*int(calls*pause/logPause), strings.Count(log.String(), "\n"))
		first, _, _ := strings.Cut(log.String(), "\n")
		for _, part := range []string{"eve-0", "role=reader", "10.0.0.66:1", "DeleteClusters", "why=no"} {
			require.Contains(t, first, part)
		}
		require.Contains(t, log.String(), "more-since-the-last-line=9999")
		counts := r.list()
		require.Len(t, counts, 2)
		require.Equal(t, []string{pb.Fleet_DeleteClusters_FullMethodName, otherMethods}, []string{counts[0].GetMethod(), counts[1].GetMethod()})
		require.Equal(t, []uint64{calls, calls}, []uint64{counts[0].GetCount(), counts[1].GetCount()})
	})
}
