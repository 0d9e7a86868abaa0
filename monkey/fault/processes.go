// SPDX-License-Identifier: Apache-2.0

package fault

import "github.com/drumbeat-raft/drumbeat/monkey/world"

// endsProcess makes a fault of one of the world's ways to end a process. The
// host is booted again by the injector when the fault ends.
func endsProcess(one func(world.World, string) (world.Effect, error)) behaviour {
	return behaviour{begin: func(a *act) (world.Effect, error) {
		var sum world.Effect
		for _, h := range a.hosts {
			e, err := one(a.w, h)
			sum = sum.Add(e)
			if err != nil {
				return sum, err
			}
		}
		return sum, nil
	}}
}
