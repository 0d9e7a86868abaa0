// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"context"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stopPoll is how often, on the clock of the run, it is looked whether the run
// was asked to stop.
const stopPoll = 100 * time.Millisecond

// run calls arm, then f in a bubble, then finish outside of it, and does not
// return: it ends the process with the code that f returned. All goroutines that f started
// must have ended or be about to; what waits forever then is a crash with the
// message of synctest.
func run(t *testing.T, arm func(), f func() int, finish func()) {
	var code int
	arm()
	synctest.Test(t, func(*testing.T) { code = f() })
	finish()
	os.Exit(code) // before testing prints its own verdict
}

// stoppable calls f with a context that is cancelled soon after stopped says
// so. A flag that is polled is the one way into a bubble: a channel of the
// bubble may not be closed from outside, and a goroutine that waits for
// something outside would keep the clock from moving.
func stoppable(stopped func() bool, f func(context.Context) error) error {
	ctx, cancel := context.WithCancel(context.Background())
	var poller sync.WaitGroup
	poller.Go(func() {
		tick := time.NewTicker(stopPoll)
		defer tick.Stop()
		for !stopped() {
			select {
			case <-tick.C:
			case <-ctx.Done():
				return
			}
		}
		cancel()
	})
	defer poller.Wait()
	defer cancel()
	return f(ctx)
}
