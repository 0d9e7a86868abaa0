// SPDX-License-Identifier: Apache-2.0

package db

import (
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// defineClusters adds specifications, all or none.
func (e *edit) defineClusters(cmd *pb.DefineClusters) {
	if err := ValidateSpecs(cmd.GetSpecs()); err != nil {
		e.refuse(pb.CommandCode_INVALID, "%s", err.Error())
		return
	}
	for _, spec := range cmd.GetSpecs() {
		c := e.clusterOrNew(spec.ClusterId)
		if c.Spec == nil {
			c.Spec = spec
			e.changed(c)
			e.event(&pb.Event{Kind: EventClusterDefined, ClusterId: c.ID},
				"cluster %d was defined: %d members of application %q", c.ID, spec.Size, spec.Application)
		} else if !proto.Equal(c.Spec, spec) {
			e.refuse(pb.CommandCode_CONFLICT,
				"cluster %d is defined already, and differently", c.ID)
			return
		}
	}
}
