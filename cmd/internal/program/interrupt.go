// SPDX-License-Identifier: Apache-2.0

package program

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Main runs a program with a context that the first interrupt or termination
// signal ends, and exits with the code that it returns. A second signal ends the
// process at once.
func Main(run func(ctx context.Context) (code int)) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	code := run(ctx)
	stop()
	os.Exit(code)
}

// Poll tries at once and then again after every pause, until a try is done or
// fails, or ctx ends. It returns the try's error, or that of ctx.
func Poll(ctx context.Context, pause time.Duration, try func() (done bool, err error)) error {
	for {
		if done, err := try(); done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
