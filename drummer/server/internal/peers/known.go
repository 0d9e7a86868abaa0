// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

const (
	// refreshTicks is the least time between two readings of the membership that a
	// stranger causes.
	refreshTicks = 2
	// maxWarned bounds the strangers that are named in the log.
	maxWarned = 32
)

// known is who may be a Drummer server: who is configured here, and who is a member
// of DrummerDB's Raft cluster. Nothing that is heard of anybody else is believed, or
// remembered. It is safe for concurrent use.
type known struct {
	config *Config
	record *record

	mu       sync.Mutex
	members  *dragonboat.Membership // the newest that was read, nil before
	stranger bool                   // somebody else was heard of since
	refusals uint64
	warned   map[uint64]bool
	read     time.Time // when reading began the last time
}

func newKnown(config *Config, record *record) *known {
	return &known{config: config, record: record, warned: map[uint64]bool{}}
}

// update takes in a membership that was read, unless a newer one was, and drops from
// the record who is no server.
func (k *known) update(m *dragonboat.Membership) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.members != nil && m.ConfigChangeID < k.members.ConfigChangeID {
		return
	}
	k.members, k.stranger = m, false
	// Under k.mu: nobody is admitted by a newer membership meanwhile.
	dropped, err := k.record.retain(k.has)
	if dropped > 0 || err != nil {
		k.log().Warn("dropped what was remembered of servers that are neither configured nor members of DrummerDB", "dropped", dropped, "error", err)
	}
}

// has reports whether a NodeID is a server's. k.mu is held.
func (k *known) has(nodeID uint64) bool {
	if _, configured := k.config.Members[nodeID]; configured || nodeID == k.config.NodeID {
		return true
	}
	return k.members != nil && isMember(k.members, nodeID) || k.votes(nodeID)
}

// server reports whether a NodeID is a server's.
func (k *known) server(nodeID uint64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.has(nodeID)
}

// believe returns what is to be believed of what was heard of another server, nil
// when that is nothing: it is no server, or is shown at a RaftAddress that it does
// not have. A configured server's gRPC address is the configured one.
func (k *known) believe(info *pb.ServerInfo) *pb.ServerInfo {
	k.mu.Lock()
	defer k.mu.Unlock()
	id := info.GetNodeId()
	if !k.has(id) {
		k.stranger = true
		k.refuse(id, "no server of that NodeID is configured here, or a member of DrummerDB", info)
		return nil
	}
	peer, configured := k.config.Members[id]
	at := map[string]bool{peer.RaftAddress: configured}
	if k.members != nil {
		address, ok := memberAtID(k.members, id)
		at[address] = at[address] || ok
	}
	if address, ok := k.voterAddress(id); ok {
		at[address] = true
	}
	if !at[info.GetRaftAddress()] {
		k.refuse(id, "the server of that NodeID has another RaftAddress", info)
		return nil
	}
	if configured && info.GetAddress() != peer.Address {
		k.refuse(id, "the server of that NodeID is configured with another gRPC address, which stays; correct the members in the configuration of one of the two", info)
		info = proto.CloneOf(info)
		info.Address = peer.Address
	}
	return info
}

func (k *known) votes(nodeID uint64) bool {
	_, ok := k.voterAddress(nodeID)
	return ok
}

func (k *known) voterAddress(nodeID uint64) (string, bool) {
	if k.config.Raft == nil {
		return "", false
	}
	address, ok := k.config.Raft.Voters()[nodeID]
	return address, ok
}

// refuse counts what is not believed, and logs the first of each NodeID. k.mu is
// held.
func (k *known) refuse(nodeID uint64, why string, info *pb.ServerInfo) {
	k.refusals++
	if k.warned[nodeID] || len(k.warned) >= maxWarned {
		return
	}
	k.warned[nodeID] = true
	k.log().Warn("what was heard of a server is not believed", "node", nodeID, "raft-address", info.GetRaftAddress(), "address", info.GetAddress(), "reason", why)
}

func (k *known) log() *slog.Logger {
	if k.config.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return k.config.Log
}

// wantsMembers reports whether the membership should be read: it was not so far, or
// somebody was heard of who may have been added since. It is asked once a tick.
func (k *known) wantsMembers() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.due(k.members == nil || k.stranger)
}

// due reports whether the membership is to be read now. k.mu is held.
func (k *known) due(wanted bool) bool {
	if !wanted || !k.read.IsZero() && time.Since(k.read) < refreshTicks*k.config.Tick {
		return false
	}
	k.read = time.Now()
	return true
}

// admits reports whether a NodeID is a server's, and reads the membership when it was
// none, not more often than every refreshTicks.
func (k *known) admits(ctx context.Context, nodeID uint64, read func(context.Context) (*dragonboat.Membership, error)) (bool, error) {
	k.mu.Lock()
	has := k.has(nodeID)
	due := k.due(!has)
	k.mu.Unlock()
	if has || !due {
		return has, nil
	}
	if _, err := read(ctx); err != nil {
		return false, err
	}
	return k.server(nodeID), nil
}
