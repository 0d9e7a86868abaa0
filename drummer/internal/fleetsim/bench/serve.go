// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"os"
	"runtime/pprof"
	"strings"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/logger"

	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

const (
	deployment = 1
	rttMillis  = 100
)

// What servers are told on standard input, a line each: to make another one the leader,
// to write a CPU profile to the file whose name follows, and to end that.
const (
	transfer     = "transfer"
	startProfile = "profile "
	stopProfile  = "stop"
)

// serve runs the Drummer server with this NodeID, 1 for the first of members, until
// standard input ends. Each of members is a Raft address, a slash and a gRPC address.
func serve(id int, members []string, dir string) error {
	for _, name := range []string{"dragonboat", "raft", "rsm", "transport", "grpc", "logdb", "config", "utils", "server", "settings", "order", "raftpb"} {
		logger.GetLogger(name).SetLevel(logger.ERROR)
	}
	peers := map[uint64]drummer.Peer{}
	for i, member := range members {
		raft, address, _ := strings.Cut(member, "/")
		peers[uint64(i+1)] = drummer.Peer{RaftAddress: raft, Address: address}
	}
	own := peers[uint64(id)]
	listener, err := net.Listen("tcp", own.Address)
	if err != nil {
		return err
	}
	s, err := drummer.New(drummer.Config{
		NodeHost: config.NodeHostConfig{RaftAddress: own.RaftAddress, NodeHostDir: dir, WALDir: dir, RTTMillisecond: rttMillis},
		NodeID:   uint64(id), Members: peers, Listener: listener, DeploymentID: deployment,
		Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelInfo})),
	})
	if err != nil {
		return err
	}
	defer s.Close()
	defer pprof.StopCPUProfile()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := carryOut(in.Text(), s, uint64(id%len(members)+1)); err != nil {
			return err
		}
	}
	return nil
}

func carryOut(command string, s *drummer.Server, next uint64) error {
	path, profiles := strings.CutPrefix(command, startProfile)
	switch {
	case profiles:
		file, err := os.Create(path)
		if err != nil {
			return err
		}
		return pprof.StartCPUProfile(file) // closed with the process
	case command == stopProfile:
		pprof.StopCPUProfile()
	case command == transfer:
		return s.NodeHost().RequestLeaderTransfer(server.ClusterID, next)
	default:
		return fmt.Errorf("there is no command %q", command)
	}
	return nil
}

// freeAddresses finds ports of this machine that nobody listens on.
func freeAddresses(count int) ([]string, error) {
	var addresses []string
	for range count {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer l.Close()
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, nil
}
