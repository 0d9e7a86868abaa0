// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// zoneVerdict is what the zones say about a key.
type zoneVerdict struct{ judged, bad, dup bool }

// judgeByZones judges every key by its zones, several at a time if that pays.
func judgeByZones(l *Log) []zoneVerdict {
	verdicts := make([]zoneVerdict, len(l.keys))
	var next atomic.Int64
	var failure atomic.Value // a panic is the caller's to deal with
	work := func() {
		defer func() {
			if r := recover(); r != nil {
				failure.Store(fmt.Sprintf("judging by zones: %v\n%s", r, debug.Stack()))
			}
		}()
		var z zones
		for {
			i := int(next.Add(1)) - 1
			if i >= len(l.keys) {
				return
			}
			z.run(l.keys[i])
			verdicts[i] = zoneVerdict{judged: true, bad: z.bad, dup: z.dup}
		}
	}
	// A goroutine takes some microseconds to start: as much as it takes to
	// judge a thousand operations.
	const worth = 20_000
	others := min(runtime.GOMAXPROCS(0), len(l.keys), 1+l.len/worth) - 1
	var wg sync.WaitGroup
	for range others {
		wg.Go(work)
	}
	work()
	wg.Wait()
	if f := failure.Load(); f != nil {
		panic(f)
	}
	return verdicts
}
