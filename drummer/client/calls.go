// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Define adds cluster specifications, all of them or none. Defining the same
// again is no error; defining a different one under the same ID is. By is who asks,
// for the event log, here and below.
func (c *Client) Define(ctx context.Context, by string, specs ...*pb.ClusterSpec) error {
	_, err := call(ctx, c, &pb.DefineClustersRequest{Specs: specs, By: by}, onDrummer(pb.DrummerClient.DefineClusters))
	return err
}

// Launch lets Drummer start every defined cluster, and those that are defined
// later.
func (c *Client) Launch(ctx context.Context, by string) error {
	_, err := call(ctx, c, &pb.LaunchRequest{By: by}, onDrummer(pb.DrummerClient.Launch))
	return err
}

// Locate asks Drummer, not the cache, where clusters are. No IDs: all of them, page
// by page, so that the pages of a large fleet may be of different moments. Clusters
// that Drummer doesn't know are left out. What it answers goes into the cache, and is
// shared with it: it must not be changed. Calls at the same time share what they send.
func (c *Client) Locate(ctx context.Context, clusterIDs ...uint64) (*pb.LocateResponse, error) {
	if n := len(clusterIDs); n > 0 && n <= maxBatch {
		return c.lookups.locate(ctx, clusterIDs)
	}
	all, err := c.LocatePage(ctx, &pb.LocateRequest{ClusterIds: clusterIDs})
	for page := all; err == nil && page.GetNextAfterClusterId() != 0; {
		page, err = c.LocatePage(ctx, &pb.LocateRequest{AfterClusterId: page.GetNextAfterClusterId()})
		all.Clusters = append(all.Clusters, page.GetClusters()...)
	}
	if err != nil {
		return nil, err
	}
	all.NextAfterClusterId = 0
	return all, nil
}

// LocatePage is Locate for one page, and with everything else that may be asked for.
func (c *Client) LocatePage(ctx context.Context, req *pb.LocateRequest) (*pb.LocateResponse, error) {
	out, err := call(ctx, c, req, onDrummer(pb.DrummerClient.Locate))
	if err == nil {
		c.cache.put(out)
		c.hear(out.GetServers())
	}
	return out, err
}

// ListNodeHosts lists the NodeHosts that Drummer has heard of, page by page.
func (c *Client) ListNodeHosts(ctx context.Context) (*pb.ListNodeHostsResponse, error) {
	all, err := c.ListNodeHostsPage(ctx, "", 0)
	for page := all; err == nil && page.GetNextAfterNodehostId() != ""; {
		page, err = c.ListNodeHostsPage(ctx, page.GetNextAfterNodehostId(), 0)
		all.Hosts = append(all.Hosts, page.GetHosts()...)
	}
	if err != nil {
		return nil, err
	}
	all.NextAfterNodehostId = ""
	return all, nil
}

// ListNodeHostsPage lists the NodeHosts with an ID above one, at most limit of them;
// 0: the server's limit.
func (c *Client) ListNodeHostsPage(ctx context.Context, after string, limit uint32) (*pb.ListNodeHostsResponse, error) {
	return call(ctx, c, &pb.ListNodeHostsRequest{AfterNodehostId: after, Limit: limit}, onDrummer(pb.DrummerClient.ListNodeHosts))
}

// ListOperations lists what Drummer is doing at the moment.
func (c *Client) ListOperations(ctx context.Context) (*pb.ListOperationsResponse, error) {
	return call(ctx, c, &pb.ListOperationsRequest{}, onDrummer(pb.DrummerClient.ListOperations))
}

// ListEvents lists the events that a request asks for, in its order.
func (c *Client) ListEvents(ctx context.Context, req *pb.ListEventsRequest) (*pb.ListEventsResponse, error) {
	return call(ctx, c, req, onDrummer(pb.DrummerClient.ListEvents))
}

// Status asks one server, named by its address, how it is.
func (c *Client) Status(ctx context.Context, server string) (*pb.StatusResponse, error) {
	conn, err := c.drummers.get(server)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.config.TryTimeout)
	defer cancel()
	return pb.NewDrummerClient(conn).Status(ctx, &pb.StatusRequest{})
}
