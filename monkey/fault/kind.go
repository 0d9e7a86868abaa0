// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// behaviour is how a kind of fault begins and ends. Both run on the injector's
// goroutine.
type behaviour struct {
	// begin does it to the act's hosts and returns its effect at that instant.
	begin func(a *act) (world.Effect, error)
	// end undoes it. nil: there is nothing to undo but to boot what is down,
	// which the injector does.
	end func(a *act) error
}

// act is one injection while it lasts.
type act struct {
	w     world.World
	links *links
	rng   *rand.Rand
	id    int
	hosts []string // targets
	fault *scenarios.Fault
}

// behaviourOf finds the behaviour of a kind.
func behaviourOf(kind string) (behaviour, error) {
	switch kind {
	case scenarios.Kill:
		return endsProcess(world.World.Kill), nil
	case scenarios.PowerLoss:
		return endsProcess(world.World.PowerLoss), nil
	case scenarios.Wipe:
		return endsProcess(world.World.Wipe), nil
	case scenarios.Partition:
		return onLinks(partition), nil
	case scenarios.OneWay:
		return onLinks(oneWay), nil
	case scenarios.Lossy:
		return onLinks(lossy), nil
	case scenarios.Delay:
		return onLinks(delay), nil
	}
	return behaviour{}, fmt.Errorf("fault %q has no behaviour: no world offers it", kind)
}

// others lists every place in the network but the given hosts.
func (a *act) others() []string {
	rest := []string{world.Clients}
	for _, h := range a.w.Hosts() {
		if !slices.Contains(a.hosts, h.Name) {
			rest = append(rest, h.Name)
		}
	}
	return rest
}
