// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// maxPeers bounds the servers that one Exchange may list.
	maxPeers = 256
	// aliveTicks is how long after its last word a server counts as alive.
	aliveTicks = 5
	// forgetAfter is how long a server that is not configured here is
	// remembered without a word from it.
	forgetAfter = 10 * time.Minute
)

// table is what this server knows of all servers, itself included. But for
// their incarnations it is kept in memory only: who is configured with one
// living server learns the rest.
type table struct {
	record *record
	known  *known

	mu    sync.Mutex
	own   *pb.ServerInfo
	peers map[uint64]*peerEntry
}

type peerEntry struct {
	info       *pb.ServerInfo // with boot_ns 0 until the server itself was heard of
	configured bool
	heard      time.Time // when info was last renewed
}

func newTable(c *Config, record *record, known *known) *table {
	b := &table{record: record, known: known, peers: map[uint64]*peerEntry{}}
	for id, peer := range c.Members {
		b.peers[id] = &peerEntry{configured: true, info: &pb.ServerInfo{NodeId: id, RaftAddress: peer.RaftAddress, Address: peer.Address}}
	}
	b.own = &pb.ServerInfo{
		NodeId:      c.NodeID,
		RaftAddress: c.RaftAddress,
		Address:     c.Members[c.NodeID].Address,
		Version:     db.Version,
		BootNs:      record.kept.BootNs,
		Incarnation: record.own,
	}
	return b
}

// beat renews what this server says of itself, and forgets who was silent for
// long.
func (b *table) beat(caughtUp bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.own.Beat++
	b.own.CaughtUp = caughtUp
	b.own.Begun = b.record.hasBegun()
	b.peers[b.own.NodeId] = &peerEntry{configured: true, info: proto.Clone(b.own).(*pb.ServerInfo), heard: time.Now()}
	for id, peer := range b.peers {
		if !peer.configured && time.Since(peer.heard) > forgetAfter {
			delete(b.peers, id)
		}
	}
}

// merge takes in what another server knows, and remembers for good who was
// heard of. An error says that it could not be remembered.
func (b *table) merge(list *pb.ServerList) error {
	if len(list.GetServers()) > maxPeers {
		return fmt.Errorf("a list of %d servers is over the limit of %d", len(list.GetServers()), maxPeers)
	}
	servers := b.believed(list)
	if err := b.remember(servers); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, info := range servers {
		if info.GetIncarnation() != "" && info.GetIncarnation() != b.record.incarnation(info.GetNodeId()) {
			continue // of a disk that the NodeID doesn't belong to
		}
		known := b.peers[info.GetNodeId()]
		if known == nil {
			known = &peerEntry{}
			b.peers[info.GetNodeId()] = known
		}
		if newer(info, known.info) {
			known.info = info
			known.heard = time.Now()
		}
	}
	return nil
}

// believed are those of a list that make sense and are servers.
func (b *table) believed(list *pb.ServerList) (servers []*pb.ServerInfo) {
	for _, info := range list.GetServers() {
		if !b.plausible(info) {
			continue
		}
		if info = b.known.believe(info); info != nil {
			servers = append(servers, info)
		}
	}
	return servers
}

// remember makes durable whose disks were heard of. One that was never a
// member when it came back with another disk may have been admitted by others
// while this server was away: it has begun, and is newer. A voter's disk is never
// another one.
func (b *table) remember(servers []*pb.ServerInfo) error {
	heard := map[uint64]string{}
	for _, info := range servers {
		id := info.GetNodeId()
		known := b.record.incarnation(id)
		if known != "" && known != info.GetIncarnation() && info.GetIncarnation() != "" && info.GetBegun() && newer(info, b.get(id)) && !b.known.votes(id) {
			if err := b.record.replace(id, known, info.GetIncarnation()); err != nil {
				return err
			}
		}
		heard[id] = info.GetIncarnation()
	}
	return b.record.learn(heard)
}

func (b *table) plausible(info *pb.ServerInfo) bool {
	return info.GetNodeId() != 0 && info.GetNodeId() != b.own.GetNodeId() && info.GetAddress() != "" &&
		len(info.GetAddress()) <= maxID && len(info.GetRaftAddress()) <= maxID && len(info.GetIncarnation()) <= maxID
}

// newer reports whether a server said a after b.
func newer(a, b *pb.ServerInfo) bool {
	if a.GetBootNs() != b.GetBootNs() {
		return a.GetBootNs() > b.GetBootNs()
	}
	return a.GetBeat() > b.GetBeat()
}

// list is what this server sends to another: all that it heard of.
func (b *table) list() *pb.ServerList {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := &pb.ServerList{}
	for _, peer := range b.peers {
		if !peer.heard.IsZero() {
			out.Servers = append(out.Servers, peer.info)
		}
	}
	return out
}

// drop forgets a server that was removed.
func (b *table) drop(nodeID uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if nodeID != b.own.NodeId {
		delete(b.peers, nodeID)
	}
}

// get returns what is known of a server, nil when nothing is.
func (b *table) get(nodeID uint64) *pb.ServerInfo {
	b.mu.Lock()
	defer b.mu.Unlock()
	if peer := b.peers[nodeID]; peer != nil {
		return peer.info
	}
	return nil
}

// alive reports whether a server said something within d.
func (b *table) alive(nodeID uint64, d time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	peer := b.peers[nodeID]
	return peer != nil && peer.info.GetBootNs() != 0 && time.Since(peer.heard) <= d
}

// others are the addresses of the other servers' gRPC services.
func (b *table) others() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out []string
	for id, peer := range b.peers {
		if id != b.own.NodeId {
			out = append(out, peer.info.GetAddress())
		}
	}
	return out
}

// addresses are those of all servers' gRPC services, in order.
func (b *table) addresses() []string {
	out := b.others()
	if own := b.own.GetAddress(); own != "" {
		out = append(out, own)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// allKnow reports whether each of the servers said within d that it knows a
// version. With no server to ask they do not.
func (b *table) allKnow(version uint32, servers map[uint64]string, d time.Duration) bool {
	for id := range servers {
		if !b.alive(id, d) || b.get(id).GetVersion() < version {
			return false
		}
	}
	return len(servers) > 0
}
