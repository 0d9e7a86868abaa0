// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/stats"
)

func TestOthersRunBeforeACallIsRepeated(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var seen atomic.Bool
	go seen.Store(true)
	for i := 0; i < 100 && !seen.Load(); i++ { // somebody else may have been ready, too
		yielding{}.HandleRPC(t.Context(), &stats.Begin{IsTransparentRetryAttempt: true})
	}
	require.True(t, seen.Load())
}
