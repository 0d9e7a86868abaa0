// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"fmt"
	"sync"
	"time"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// freshFor is how long a location is used without asking Drummer again.
	freshFor = 10 * time.Second
	// refreshTimeout bounds the wait for Drummer while an old location is
	// known: clusters work on while Drummer is away.
	refreshTimeout = 500 * time.Millisecond
	// retryAfter is how long an old location serves before Drummer is asked
	// anew, after it gave no answer.
	retryAfter = 5 * time.Second
)

// Remote is the Target that Drummer's client reaches.
type Remote struct {
	client *client.Client

	mu    sync.Mutex
	known map[uint64]location
}

// location is what Drummer last said of a cluster. It is never empty.
type location struct {
	members []Member
	until   time.Time // when Drummer is to be asked again
}

// NewRemote returns a Target on top of a client, which the caller closes.
func NewRemote(c *client.Client) *Remote {
	return &Remote{client: c, known: map[uint64]location{}}
}

// Locate implements Target. It returns an old location while Drummer does not
// answer.
func (r *Remote) Locate(ctx context.Context, cluster uint64) ([]Member, error) {
	old, known := r.get(cluster)
	if known && time.Now().Before(old.until) {
		return old.members, nil
	}
	if !known {
		return r.ask(ctx, cluster)
	}
	short, cancel := context.WithTimeout(ctx, refreshTimeout)
	defer cancel()
	members, err := r.ask(short, cluster)
	if err == nil {
		return members, nil
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	r.put(cluster, location{old.members, time.Now().Add(retryAfter)})
	return old.members, nil
}

func (r *Remote) ask(ctx context.Context, cluster uint64) ([]Member, error) {
	response, err := r.client.Locate(ctx, cluster)
	if err != nil {
		return nil, err
	}
	for _, found := range response.GetClusters() {
		if members := membersOf(found); found.GetClusterId() == cluster && len(members) > 0 {
			r.put(cluster, location{members, time.Now().Add(freshFor)})
			return members, nil
		}
	}
	return nil, fmt.Errorf("cluster %d has no member with a NodeHost API that Drummer knows of", cluster)
}

func membersOf(found *pb.ClusterLocation) []Member {
	var members []Member
	for _, member := range found.GetMembers() {
		if member.GetRole() != pb.MemberRole_WITNESS && member.GetApiAddress() != "" {
			members = append(members, Member{member.GetApiAddress(), member.GetRunning()})
		}
	}
	return members
}

func (r *Remote) get(cluster uint64) (location, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.known[cluster]
	return found, ok
}

func (r *Remote) put(cluster uint64, l location) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[cluster] = l
}

// Forget implements Target: the next Locate asks Drummer, and uses what was
// known only when Drummer does not answer.
func (r *Remote) Forget(cluster uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.known[cluster]; ok && time.Until(found.until) > retryAfter {
		found.until = time.Time{}
		r.known[cluster] = found
	}
}

// OpenSession implements Target.
func (r *Remote) OpenSession(ctx context.Context, address string, cluster uint64) (*pb.Session, error) {
	return r.client.NodeHost(address).GetSession(ctx, cluster)
}

// Propose implements Target.
func (r *Remote) Propose(ctx context.Context, address string, session *pb.Session, command []byte) (sm.Result, error) {
	response, err := r.client.NodeHost(address).Propose(ctx, session, command)
	return sm.Result{Value: response.GetValue(), Data: response.GetData()}, err
}

// StaleRead implements Target.
func (r *Remote) StaleRead(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error) {
	return r.client.NodeHost(address).StaleRead(ctx, cluster, query)
}

// Read implements Target.
func (r *Remote) Read(ctx context.Context, address string, cluster uint64, query []byte) ([]byte, error) {
	return r.client.NodeHost(address).Read(ctx, cluster, query)
}
