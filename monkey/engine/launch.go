// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
)

// launch defines the clusters, has them launched, and waits until they run.
func (r *runner) launch(ctx context.Context) error {
	r.begin(timeline.Launch)
	r.launching = time.Now()
	limited, cancel := context.WithTimeout(ctx, launchLimit)
	defer cancel()
	if r.static() {
		return r.launchStatic(ctx, limited)
	}
	r.wait(limited, func() bool { return r.hostsKnown(limited) })
	if err := r.drummer.Define(limited, byMonkey, r.wanted.specs(r.wanted.clusters())...); err != nil {
		return r.notLaunched(ctx, err)
	}
	if err := r.drummer.Launch(limited, byMonkey); err != nil {
		return r.notLaunched(ctx, err)
	}
	return r.launched(ctx, limited)
}

// launched waits until all clusters run in full.
func (r *runner) launched(ctx, limited context.Context) error {
	r.wait(limited, func() bool {
		r.outcome.Launched = r.observer.whole(limited)
		return r.outcome.Launched == r.scenario.Clusters.Count
	})
	r.outcome.Launch = time.Since(r.launching)
	if r.outcome.Launched < r.scenario.Clusters.Count {
		return r.notLaunched(ctx, fmt.Errorf("%d of %d clusters run in full", r.outcome.Launched, r.scenario.Clusters.Count))
	}
	return nil
}

// hostsKnown reports whether Drummer has heard of every NodeHost that is there from the
// start: clusters that are launched before would lie on those that were quick.
func (r *runner) hostsKnown(ctx context.Context) bool {
	out, err := r.drummer.ListNodeHosts(ctx)
	return err == nil && len(out.GetHosts()) == r.scenario.Deployment.NodeHosts-len(r.scenario.JoinLater())
}

// errNotLaunched ends a run early; judge makes a violation of it.
type errNotLaunched struct{ error }

func (r *runner) notLaunched(ctx context.Context, err error) error {
	if stopped := interrupted(ctx); stopped != nil {
		return stopped
	}
	return errNotLaunched{fmt.Errorf("after %s of the launch phase: %w", launchLimit, err)}
}
