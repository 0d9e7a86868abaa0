// SPDX-License-Identifier: Apache-2.0

package drummer_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/nodehostapi"
)

// A program has a Drummer server, and a NodeHost with an agent and an API; its client
// has a cluster launched there and writes to it. In production the servers are three,
// on machines of their own, and TLS is not left out.
func Example() {
	dir, err := os.MkdirTemp("", "drummer-example-")
	must(err)
	defer os.RemoveAll(dir)

	// The server.
	door, raft := listen(), freeAddress()
	server, err := drummer.New(drummer.Config{
		NodeHost:     config.NodeHostConfig{NodeHostDir: filepath.Join(dir, "drummer"), RaftAddress: raft, RTTMillisecond: 10},
		NodeID:       1,
		Members:      map[uint64]drummer.Peer{1: {RaftAddress: raft, Address: door.Addr().String()}},
		Listener:     door,
		Tick:         100 * time.Millisecond,
		DeploymentID: 1,
	})
	must(err)
	defer server.Close()

	// The NodeHost. It runs whatever clusters Drummer places on it.
	events := agent.NewListener(nil, nil)
	nodehost, disk, err := diskcheck.Start(config.NodeHostConfig{NodeHostDir: filepath.Join(dir, "nodehost"), RaftAddress: freeAddress(),
		RTTMillisecond: 10, RaftEventListener: events, SystemEventListener: events}, nil)
	must(err)
	defer nodehost.Stop()
	socket := listen()
	api, err := nodehostapi.New(nodehost, nodehostapi.Config{Listener: socket})
	must(err)
	defer api.Close()
	hand, err := agent.New(nodehost, agent.Config{
		Drummers:   []string{door.Addr().String()},
		APIAddress: socket.Addr().String(),
		Registry:   map[string]agent.Application{"counter": {Regular: newCounter}},
		Listener:   events,
		Disk:       disk,
	})
	must(err)
	defer hand.Close()

	// Whoever wants clusters. They are launched once, and known from then on.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	c, err := client.New(client.Config{Drummers: []string{door.Addr().String()}})
	must(err)
	defer c.Close()
	must(c.Define(ctx, "the example", &pb.ClusterSpec{ClusterId: 7, Application: "counter", Size: 1}))
	must(c.Launch(ctx, "the example"))
	for ctx.Err() == nil {
		if _, err = c.Propose(ctx, 7, []byte("one more")); client.OutcomeOf(err) != client.NoEffect {
			break // until it runs, nothing is proposed
		}
		time.Sleep(100 * time.Millisecond)
	}
	must(err)
	count, err := c.Read(ctx, 7, nil)
	must(err)
	fmt.Printf("%s proposal was applied", count)
	// Output: 1 proposal was applied
}

// counter counts proposals.
type counter struct{ n uint64 }

func newCounter(clusterID, nodeID uint64) statemachine.IStateMachine { return &counter{} }

func (c *counter) Update([]byte) (statemachine.Result, error) {
	c.n++
	return statemachine.Result{Value: c.n}, nil
}

func (c *counter) Lookup(any) (any, error) { return fmt.Append(nil, c.n), nil }

func (c *counter) SaveSnapshot(w io.Writer, _ statemachine.ISnapshotFileCollection, _ <-chan struct{}) error {
	return binary.Write(w, binary.LittleEndian, c.n)
}

func (c *counter) RecoverFromSnapshot(r io.Reader, _ []statemachine.SnapshotFile, _ <-chan struct{}) error {
	return binary.Read(r, binary.LittleEndian, &c.n)
}

func (c *counter) Close() error { return nil }

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func listen() net.Listener {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(err)
	return l
}

// freeAddress is one that nobody listens on at the moment.
func freeAddress() string {
	l := listen()
	defer l.Close()
	return l.Addr().String()
}
