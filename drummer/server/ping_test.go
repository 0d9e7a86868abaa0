// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// slowGroup takes long to write a tick.
type slowGroup struct {
	*memoryGroup
	delay time.Duration
}

func (g *slowGroup) propose(ctx context.Context, command []byte) (statemachine.Result, error) {
	cmd := &pb.Command{}
	if err := proto.Unmarshal(command, cmd); err == nil && cmd.GetTick() != nil {
		select {
		case <-time.After(g.delay):
		case <-ctx.Done():
			return statemachine.Result{}, dragonboat.ErrTimeout
		}
	}
	return g.memoryGroup.propose(ctx, command)
}

// Agents of a leader whose log is slow hear from it all the same: they would
// leave it, all at once, and find no other.
func TestPingsDontWaitForTicks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newMemoryServer(t, newBase(t))
		w.server.group = &slowGroup{w.group, 20 * time.Second}
		ctx, cancel := context.WithCancel(t.Context())
		over := make(chan struct{})
		go func() { defer close(over); w.server.lead(ctx, 2) }()
		time.Sleep(time.Second / 2)
		stream, _ := w.server.leadership.Load().join("A", "at A")
		pings := 0
		for range 15 {
			time.Sleep(w.server.config.Tick)
			for _, message := range stream.take() {
				if message.GetPing() != nil {
					pings++
				}
			}
		}
		require.Equal(t, 15, pings)
		cancel()
		<-over
		require.Nil(t, w.server.leadership.Load())
	})
}

// A server whose program is older than the commands in the log has read some of
// them as something else: it must not vote on what it believes.
func TestAnOlderProgramIsNotPromoted(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	w.group.members.Observers[4] = "r4"
	_, err := w.server.peers.List(w.ctx) // from now on it is known
	require.NoError(t, err)
	says := func(beat uint64, version uint32) {
		_, err := w.server.peers.Service().Exchange(w.ctx, &pb.ServerList{Servers: []*pb.ServerInfo{
			{NodeId: 4, RaftAddress: "r4", Address: "g4", BootNs: 1, Beat: beat, CaughtUp: true, Version: version}}})
		require.NoError(t, err)
		w.server.peers.PromoteJoined(w.ctx, w.group.state.Version)
	}
	says(1, db.Version-1)
	require.NotContains(t, w.group.members.Nodes, uint64(4))
	says(2, db.Version)
	require.Contains(t, w.group.members.Nodes, uint64(4))
}
