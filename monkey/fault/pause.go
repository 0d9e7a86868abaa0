// SPDX-License-Identifier: Apache-2.0

package fault

import "github.com/drumbeat-raft/drumbeat/scenarios"

func init() {
	register(kind[none]{
		name:    "pause",
		doc:     "The host's processes stand still, as SIGSTOP has them do, a long collection of garbage, or a virtual machine that is moved: what is sent to them waits, and their timers come late. When the fault ends they go on with what they knew, such as that they lead. It takes an exact run.",
		class:   scenarios.OfProcess,
		hampers: true,
		colour:  "#5f7fb5",
		effect:  "goroutines_held",
		needs:   scenarios.CanPause,
		exact:   true, cutsOff: true,
		begin: func(i *injection, _ none) error {
			for _, h := range i.hosts {
				resume, err := i.world.Pause(h)
				if err != nil {
					return err
				}
				i.undo = append(i.undo, func() { i.effect = i.effect.Add(resume()) })
			}
			return nil
		},
		end: func(i *injection, _ none) error { return i.undoAll() },
	})
}
