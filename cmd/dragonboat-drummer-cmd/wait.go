// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// clustersPoll is how often a wait for clusters asks.
const clustersPoll = 200 * time.Millisecond

func (t *tool) wait() *cobra.Command {
	var off string
	cmd := &cobra.Command{
		Use:   "wait [IDS]",
		Short: "Wait until clusters are as specified: all of them, or those with the IDs",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ids []uint64
			if len(args) == 1 {
				var err error
				if ids, err = parseIDs(args[0]); err != nil {
					return program.Usage(err)
				}
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				return t.waitFor(ctx, c, ids, off)
			})
		},
	}
	cmd.Flags().StringVar(&off, "off", "", "and until none of them has a member at this RaftAddress")
	return cmd
}

// waitFor asks for one cluster that is not as it should be, again and again, until
// there is none.
func (t *tool) waitFor(ctx context.Context, c *client.Client, ids []uint64, off string) error {
	clusters, waiting := uint64(0), ""
	err := program.Poll(ctx, clustersPoll, func() (bool, error) {
		// With off, clusters that are as specified have to be looked at, too.
		req := &pb.LocateRequest{ClusterIds: ids, Unfinished: off == "", Limit: 1}
		if off != "" {
			req.Limit = 0
		}
		for {
			out, err := c.LocatePage(ctx, req)
			if err != nil {
				return false, err
			}
			if clusters, waiting = out.GetKnown(), unfinished(out, ids, off); waiting != "" {
				return false, nil
			}
			if req.AfterClusterId = out.GetNextAfterClusterId(); req.AfterClusterId == 0 {
				return true, nil
			}
		}
	})
	switch {
	case err == nil:
		return t.say("clusters as specified: %d", clusters)
	case ctx.Err() != nil && waiting != "":
		return t.inVain(waiting)
	default:
		return err
	}
}

// inVain is the end of a wait without what it waited for.
func (t *tool) inVain(waiting string) error {
	return program.WithCode(program.ExitInVain, fmt.Errorf("waited in vain for %v: %s", t.timeout, waiting))
}

// unfinished says which cluster of an answer is not yet as it should be; "" when all
// are.
func unfinished(out *pb.LocateResponse, ids []uint64, off string) string {
	if out.GetKnown() < uint64(len(ids)) {
		return fmt.Sprintf("only %d of %d clusters are known", out.GetKnown(), len(ids))
	}
	for _, c := range out.GetClusters() {
		if c.GetSpec() == nil {
			continue // hosts report it, nobody defined it
		}
		if c.GetWaitingFor() != "" {
			return fmt.Sprintf("cluster %d waits for %s", c.GetClusterId(), c.GetWaitingFor())
		}
		voters := uint32(0)
		for _, m := range c.GetMembers() {
			if off != "" && m.GetRaftAddress() == off {
				return fmt.Sprintf("cluster %d still has node %d at %s", c.GetClusterId(), m.GetNodeId(), off)
			}
			if m.GetRole() != pb.MemberRole_VOTER || !m.GetRunning() {
				return fmt.Sprintf("node %d of cluster %d is not a running voter", m.GetNodeId(), c.GetClusterId())
			}
			voters++
		}
		if voters != c.GetSpec().GetSize() {
			return fmt.Sprintf("cluster %d has %d of %d members", c.GetClusterId(), voters, c.GetSpec().GetSize())
		}
	}
	return ""
}
