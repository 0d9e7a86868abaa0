// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Define adds cluster specifications, all of them or none. Defining the same
// again is no error; defining a different one under the same ID is.
func (c *Client) Define(ctx context.Context, specs ...*pb.ClusterSpec) error {
	_, err := call(ctx, c, &pb.DefineClustersRequest{Specs: specs}, onDrummer(pb.DrummerClient.DefineClusters))
	return err
}

// Launch lets Drummer start every defined cluster, and those that are defined
// later.
func (c *Client) Launch(ctx context.Context) error {
	_, err := call(ctx, c, &pb.LaunchRequest{}, onDrummer(pb.DrummerClient.Launch))
	return err
}

// Locate asks Drummer, not the cache, where clusters are. No IDs: all of them.
// Clusters that Drummer doesn't know are left out. What it answers goes into
// the cache.
func (c *Client) Locate(ctx context.Context, clusterIDs ...uint64) (*pb.LocateResponse, error) {
	out, err := call(ctx, c, &pb.LocateRequest{ClusterIds: clusterIDs}, onDrummer(pb.DrummerClient.Locate))
	if err == nil {
		c.cache.put(out)
		c.hear(out.GetServers())
	}
	return out, err
}

// ListNodeHosts lists the NodeHosts that Drummer has heard of.
func (c *Client) ListNodeHosts(ctx context.Context) (*pb.ListNodeHostsResponse, error) {
	return call(ctx, c, &pb.ListNodeHostsRequest{}, onDrummer(pb.DrummerClient.ListNodeHosts))
}

// ListOperations lists what Drummer is doing at the moment.
func (c *Client) ListOperations(ctx context.Context) (*pb.ListOperationsResponse, error) {
	return call(ctx, c, &pb.ListOperationsRequest{}, onDrummer(pb.DrummerClient.ListOperations))
}

// ListEvents lists events with a sequence above after, oldest first, at most
// limit of them; 0: the server's limit.
func (c *Client) ListEvents(ctx context.Context, after uint64, limit uint32) (*pb.ListEventsResponse, error) {
	return call(ctx, c, &pb.ListEventsRequest{AfterSequence: after, Limit: limit}, onDrummer(pb.DrummerClient.ListEvents))
}

// Status asks one server, named by its address, how it is.
func (c *Client) Status(ctx context.Context, server string) (*pb.StatusResponse, error) {
	conn, err := c.pool.get(server)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.TryTimeout)
	defer cancel()
	return pb.NewDrummerClient(conn).Status(ctx, &pb.StatusRequest{})
}
