// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// ask asks Dragonboat on the injection's hosts for something about its cluster, or
// about each that runs there. What Dragonboat refuses is no effect.
func (i *injection) ask(what world.Asked) error {
	for _, h := range i.hosts {
		in, err := i.world.Inspect(context.Background(), h)
		if err != nil { // a Drummer server, or it has just ended
			continue
		}
		for _, n := range in.Nodes {
			if i.cluster != 0 && n.ClusterID != i.cluster || (what == world.TransferLeader || what == world.RemoveLeader) && !n.IsLeader {
				continue
			}
			if i.world.Ask(h, n.ClusterID, what) == nil {
				i.effect.RequestsAccepted++
			}
		}
	}
	return nil
}
