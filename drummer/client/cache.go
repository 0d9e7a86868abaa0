// SPDX-License-Identifier: Apache-2.0

package client

import (
	"context"
	"fmt"
	"sync"
	"time"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// cache remembers locations for a while.
type cache struct {
	maxAge time.Duration

	mu       sync.Mutex
	clusters map[uint64]cached
}

type cached struct {
	location *pb.ClusterLocation
	dbIndex  uint64
	at       time.Time
}

func (c *cache) put(response *pb.LocateResponse) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.clusters == nil {
		c.clusters = map[uint64]cached{}
	}
	for _, location := range response.GetClusters() {
		id := location.GetClusterId()
		if c.clusters[id].dbIndex > response.GetDbIndex() {
			continue // a slower answer to an earlier question
		}
		c.clusters[id] = cached{location, response.GetDbIndex(), time.Now()}
	}
}

func (c *cache) get(clusterID uint64) *pb.ClusterLocation {
	c.mu.Lock()
	defer c.mu.Unlock()
	entry, ok := c.clusters[clusterID]
	if !ok || time.Since(entry.at) > c.maxAge {
		return nil
	}
	return entry.location
}

func (c *cache) forget(clusterID uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.clusters, clusterID)
}

// Location returns where a cluster is, from the cache when it is fresh enough.
func (c *Client) Location(ctx context.Context, clusterID uint64) (*pb.ClusterLocation, error) {
	if location := c.cache.get(clusterID); location != nil {
		return location, nil
	}
	out, err := c.Locate(ctx, clusterID)
	if err != nil {
		return nil, err
	}
	for _, location := range out.GetClusters() {
		if location.GetClusterId() == clusterID {
			return location, nil
		}
	}
	return nil, fmt.Errorf("no cluster %d is known to Drummer", clusterID)
}

// Forget drops a cluster's cached location, so that the next Location asks
// Drummer. Call it after a NodeHost did not know the cluster any more.
func (c *Client) Forget(clusterID uint64) { c.cache.forget(clusterID) }
