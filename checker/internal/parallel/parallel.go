// SPDX-License-Identifier: Apache-2.0

// Package parallel runs work on several goroutines and waits for all of them.
// A panic in one of them is the caller's.
package parallel

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
)

// Do calls work with every number below n, all at the same time; one of them
// in the caller's goroutine.
func Do(n int, work func(i int)) {
	var failure atomic.Value
	guarded := func(i int) {
		defer func() {
			if r := recover(); r != nil {
				failure.Store(fmt.Sprintf("%v\n%s", r, debug.Stack()))
			}
		}()
		work(i)
	}
	var wg sync.WaitGroup
	for i := 1; i < n; i++ {
		wg.Go(func() { guarded(i) })
	}
	guarded(0)
	wg.Wait()
	if f := failure.Load(); f != nil {
		panic(f)
	}
}

// Each calls what worker returns with every number below n, on as many
// goroutines as there are processors, but no more than most. Each goroutine has
// a worker of its own.
func Each(n, most int, worker func() func(i int)) {
	var next atomic.Int64
	Do(max(1, min(n, most, runtime.GOMAXPROCS(0))), func(int) {
		do := worker()
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return
			}
			do(i)
		}
	})
}
