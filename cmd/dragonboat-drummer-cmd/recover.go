// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// recover makes a working cluster of the best replica that is left of one that lost
// its quorum for good.
func (t *tool) recover() *cobra.Command {
	var sure bool
	cmd := &cobra.Command{
		Use:   "recover CLUSTER",
		Short: "Make a cluster that lost its quorum for good work again, from the best replica that is left",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ids, err := parseIDs(args[0])
			if err != nil {
				return program.Usage(err)
			}
			if len(ids) != 1 {
				return program.Usagef("name one cluster, not %d: look at each before you give up what it may lose", len(ids))
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error { return t.recoverCluster(ctx, c, ids[0], sure) })
		},
	}
	cmd.Flags().BoolVar(&sure, "yes", false, "the other members are lost for good: do it")
	return cmd
}

func (t *tool) recoverCluster(ctx context.Context, c *client.Client, id uint64, sure bool) error {
	cluster, err := location(ctx, c, id)
	if err != nil {
		return err
	}
	if cluster.GetAvailable() {
		return status.Errorf(codes.FailedPrecondition, "cluster %d has a quorum", id)
	}
	best, log, err := survivor(ctx, c, cluster)
	if err != nil {
		return err
	}
	loss := fmt.Sprintf("node %d on %s is the best of what is left of cluster %d: its log ends at entry %d, in term %d, and it knows of %d that they are committed. "+
		"Lost are the entries that it never received, and up to %d that it has and can't know to be committed",
		log.GetNodeId(), best.GetNodehostId(), id, log.GetLastIndex(), log.GetTerm(), log.GetCommittedIndex(), log.GetLastIndex()-log.GetCommittedIndex())
	if !sure {
		return program.Usagef("%s. All other members are given up, and removed should they come back. If they are lost for good, say --yes", loss)
	}
	if err := t.say("%s", loss); err != nil {
		return err
	}
	done, err := c.NodeHost(best.GetApiAddress()).RecoverReplica(ctx, id, cluster.GetNextNodeId())
	if err != nil {
		return err
	}
	if err := t.say("node %d was made of its snapshot at index %d of %d, which stays in %s on that host until you remove it",
		cluster.GetNextNodeId(), done.GetIndex(), done.GetLastIndex(), done.GetSnapshotPath()); err != nil {
		return err
	}
	// The host reports the new node in a moment.
	err = program.Poll(ctx, serversPoll, func() (bool, error) {
		err := c.RecoverCluster(ctx, t.by, id, cluster.GetNextNodeId(), best.GetNodehostId())
		if status.Code(err) == codes.NotFound {
			return false, nil
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	return t.say("cluster %d is Drummer's again: it starts node %d, and then adds members up to the cluster's size", id, cluster.GetNextNodeId())
}

func location(ctx context.Context, c *client.Client, id uint64) (*pb.ClusterLocation, error) {
	out, err := c.Locate(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(out.GetClusters()) != 1 {
		return nil, status.Errorf(codes.NotFound, "cluster %d is not defined", id)
	}
	return out.GetClusters()[0], nil
}

// survivor finds the running member whose log is the most up to date, as Raft
// compares logs in an election.
func survivor(ctx context.Context, c *client.Client, cluster *pb.ClusterLocation) (best *pb.MemberLocation, log *pb.InspectReplicaResponse, err error) {
	var failures []error
	for _, m := range cluster.GetMembers() {
		if !m.GetRunning() || m.GetApiAddress() == "" {
			continue
		}
		found, err := c.NodeHost(m.GetApiAddress()).InspectReplica(ctx, cluster.GetClusterId())
		if err != nil {
			failures = append(failures, fmt.Errorf("node %d at %s: %w", m.GetNodeId(), m.GetApiAddress(), err))
			continue
		}
		if best == nil || found.GetLastTerm() > log.GetLastTerm() ||
			found.GetLastTerm() == log.GetLastTerm() && found.GetLastIndex() > log.GetLastIndex() {
			best, log = m, found
		}
	}
	if best == nil {
		return nil, nil, status.Errorf(codes.FailedPrecondition, "no member of cluster %d runs on a host that is up and can be asked %v; start the host that has one", cluster.GetClusterId(), failures)
	}
	return best, log, nil
}
