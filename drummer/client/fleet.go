// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// UpdateClusters changes specifications, all of them or none. The application
// can't change. By is who asks, for the event log, here and below.
func (c *Client) UpdateClusters(ctx context.Context, by string, specs ...*pb.ClusterSpec) error {
	_, err := call(ctx, c, &pb.UpdateClustersRequest{Specs: specs, By: by}, onFleet(pb.FleetClient.UpdateClusters))
	return err
}

// DeleteClusters ends clusters and their data, for good.
func (c *Client) DeleteClusters(ctx context.Context, by string, clusterIDs ...uint64) error {
	_, err := call(ctx, c, &pb.DeleteClustersRequest{ClusterIds: clusterIDs, By: by}, onFleet(pb.FleetClient.DeleteClusters))
	return err
}

// Pause stops all new decisions of Drummer.
func (c *Client) Pause(ctx context.Context, by, reason string) error {
	_, err := call(ctx, c, &pb.PauseRequest{Reason: reason, By: by}, onFleet(pb.FleetClient.Pause))
	return err
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, by string) error {
	_, err := call(ctx, c, &pb.ResumeRequest{By: by}, onFleet(pb.FleetClient.Resume))
	return err
}

// SetHostMode cordons, drains or activates the NodeHost with an ID or a
// RaftAddress. A drain that would leave a cluster without a place is refused,
// unless it is forced.
func (c *Client) SetHostMode(ctx context.Context, by, host string, mode pb.HostMode, force bool) error {
	_, err := call(ctx, c, &pb.SetHostModeRequest{Host: host, Mode: mode, Force: force, By: by}, onFleet(pb.FleetClient.SetHostMode))
	return err
}

// ForgetHost drops a NodeHost, named by its ID, that is dead or gone.
func (c *Client) ForgetHost(ctx context.Context, by, host string) error {
	_, err := call(ctx, c, &pb.ForgetHostRequest{Host: host, By: by}, onFleet(pb.FleetClient.ForgetHost))
	return err
}

// DryRun returns what Drummer would do.
func (c *Client) DryRun(ctx context.Context, req *pb.DryRunRequest) (*pb.DryRunResponse, error) {
	return call(ctx, c, req, onFleet(pb.FleetClient.DryRun))
}

// WatchEvents calls seen for each event with a sequence above after, in order and once,
// as they happen, until ctx ends or seen returns an error, which it returns. It goes on
// through another server when one is lost. Events that DrummerDB keeps no more are left
// out: sequences have no gaps otherwise. It returns an error with codes.OutOfRange when
// the log ends before after: DrummerDB was begun anew, or restored.
func (c *Client) WatchEvents(ctx context.Context, after uint64, seen func(*pb.Event) error) error {
	for {
		// This finds a server that answers, which is asked first from then on.
		_, err := call(ctx, c, &pb.ListEventsRequest{AfterSequence: after, Limit: 1}, onDrummer(pb.DrummerClient.ListEvents))
		if err != nil {
			return err
		}
		if after, err = c.watch(ctx, after, seen); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(roundPause):
		}
	}
}

// watch is one stream of events. It returns an error only when there is no
// going on.
func (c *Client) watch(ctx context.Context, after uint64, seen func(*pb.Event) error) (uint64, error) {
	server := c.order()[0]
	conn, err := c.drummers.get(server)
	if err != nil {
		return after, err
	}
	stream, err := pb.NewFleetClient(conn).WatchEvents(ctx, &pb.WatchEventsRequest{AfterSequence: after})
	if err != nil {
		return after, ctx.Err()
	}
	for {
		event, err := stream.Recv()
		switch status.Code(err) {
		case codes.OK:
		case codes.OutOfRange, codes.PermissionDenied, codes.Unimplemented:
			return after, err
		default:
			if ctx.Err() == nil {
				c.avoid(server)
			}
			return after, ctx.Err()
		}
		after = event.GetSequence()
		if err := seen(event); err != nil {
			return after, err
		}
	}
}

// Backup returns a backup of DrummerDB as of now, which db.DecodeBackup reads.
func (c *Client) Backup(ctx context.Context) ([]byte, error) {
	out, err := call(ctx, c, &pb.BackupRequest{}, onFleet(pb.FleetClient.Backup))
	return out.GetBackup(), err
}

// Restore makes a backup the state of new servers, in whose DrummerDB nothing is
// defined, and pauses them.
func (c *Client) Restore(ctx context.Context, by string, backup []byte) error {
	_, err := call(ctx, c, &pb.RestoreRequest{Backup: backup, By: by}, onFleet(pb.FleetClient.Restore))
	return err
}

// RecoverCluster makes a node that RecoverReplica has made on a NodeHost the only
// member of a cluster, from which Drummer goes on.
func (c *Client) RecoverCluster(ctx context.Context, by string, clusterID, nodeID uint64, nodehostID string) error {
	_, err := call(ctx, c, &pb.RecoverClusterRequest{ClusterId: clusterID, NodeId: nodeID, NodehostId: nodehostID, By: by}, onFleet(pb.FleetClient.RecoverCluster))
	return err
}

// ListServers lists the Drummer servers.
func (c *Client) ListServers(ctx context.Context) (*pb.ListServersResponse, error) {
	out, err := call(ctx, c, &pb.ListServersRequest{}, onFleet(pb.FleetClient.ListServers))
	var addresses []string
	for _, s := range out.GetServers() {
		addresses = append(addresses, s.GetAddress())
	}
	c.hear(addresses)
	return out, err
}

// AddServer makes room for one more Drummer server and returns the node ID that
// it is to be started with. It becomes a voter once it has caught up.
func (c *Client) AddServer(ctx context.Context, by, raftAddress, address string) (uint64, error) {
	out, err := call(ctx, c, &pb.AddServerRequest{RaftAddress: raftAddress, Address: address, By: by}, onFleet(pb.FleetClient.AddServer))
	return out.GetNodeId(), err
}

// RemoveServer takes a Drummer server out; one whose removal costs the quorum only
// when it is forced.
func (c *Client) RemoveServer(ctx context.Context, by string, nodeID uint64, force bool) error {
	_, err := call(ctx, c, &pb.RemoveServerRequest{NodeId: nodeID, Force: force, By: by}, onFleet(pb.FleetClient.RemoveServer))
	return err
}
