// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
)

// ErrNotLost is the error of Salvage when DrummerDB has a leader.
var ErrNotLost = errors.New("a majority of the Drummer servers works")

// Salvage reads DrummerDB from the disk of a server that does not run, when those
// that it would need for a majority are lost. The state has all that is in this
// server's log, also what it does not know to be committed: of that the lost servers
// may have acknowledged some, and nothing speaks against the rest. What this server
// never received is not in it.
//
// The server's Raft node runs meanwhile. It changes nothing that others rely on, and
// the disk stays as it was, but for votes in elections that nobody can win.
func Salvage(ctx context.Context, config Config) (*db.State, error) {
	s, err := open(config)
	if err != nil {
		return nil, err
	}
	defer s.nodehost.Stop()
	if !s.nodehost.HasNodeInfo(ClusterID, s.config.NodeID) {
		return nil, fmt.Errorf("%s has no log of DrummerDB of server %d", s.config.NodeHost.NodeHostDir, s.config.NodeID)
	}
	if s.config.Join, err = s.peers.Resume(); err != nil {
		return nil, err
	}
	if err := s.startDB(nil, false); err != nil {
		return nil, err
	}
	if err := s.noLeader(ctx); err != nil {
		return nil, err
	}
	state, err := s.localState()
	if err != nil {
		return nil, fmt.Errorf("DrummerDB can't be read from the disk: %w", err)
	}
	entries, err := s.disk.Entries(ClusterID, s.config.NodeID, state.Index+1)
	if err != nil {
		return nil, err
	}
	for i := range entries {
		command, err := commandOf(&entries[i])
		if err != nil {
			return nil, err
		}
		if command != nil {
			state, _ = db.Apply(state, entries[i].Index, command)
		}
	}
	return state, nil
}

// noLeader returns an error when a leader is heard of within a few election
// timeouts, in which also what is known to be committed is applied.
func (s *Server) noLeader(ctx context.Context) error {
	const elections = 4
	poll := time.NewTicker(s.config.electionTimeout())
	defer poll.Stop()
	for range elections {
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if leader, _ := s.leader.current(); leader != 0 {
			return fmt.Errorf("%w: server %d leads; let other servers take the place of those that are lost, with `servers replace`", ErrNotLost, leader)
		}
	}
	return nil
}

// commandOf returns the command of DrummerDB that an entry of the log carries, nil
// for an entry of Raft's own.
func commandOf(entry *raftpb.Entry) ([]byte, error) {
	switch {
	case entry.Type == raftpb.ApplicationEntry && len(entry.Cmd) > 0:
		return entry.Cmd, nil
	case entry.Type == raftpb.EncodedEntry && len(entry.Cmd) > 0 && entry.Cmd[0] == 0:
		return entry.Cmd[1:], nil // version 0, not compressed, no session
	case entry.Type == raftpb.EncodedEntry:
		return nil, fmt.Errorf("entry %d of DrummerDB's log is in a form that servers never write", entry.Index)
	default:
		return nil, nil
	}
}
