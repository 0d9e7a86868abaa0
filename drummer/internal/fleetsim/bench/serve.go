// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
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

// serve runs a Drummer server on each gRPC address, on Raft ports of its own choice,
// until standard input ends.
func serve(addresses []string, dir string) error {
	for _, name := range []string{"dragonboat", "raft", "rsm", "transport", "grpc", "logdb", "config", "utils", "server", "settings", "order", "raftpb"} {
		logger.GetLogger(name).SetLevel(logger.ERROR)
	}
	raft, err := freeAddresses(len(addresses))
	if err != nil {
		return err
	}
	members := map[uint64]drummer.Peer{}
	for i, address := range addresses {
		members[uint64(i+1)] = drummer.Peer{RaftAddress: raft[i], Address: address}
	}
	servers := map[uint64]*drummer.Server{}
	for id, member := range members {
		listener, err := net.Listen("tcp", member.Address)
		if err != nil {
			return err
		}
		data := filepath.Join(dir, fmt.Sprint(id))
		s, err := drummer.New(drummer.Config{
			NodeHost: config.NodeHostConfig{RaftAddress: member.RaftAddress, NodeHostDir: data, WALDir: data, RTTMillisecond: rttMillis},
			NodeID:   id, Members: members, Listener: listener, DeploymentID: deployment,
			Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		if err != nil {
			return err
		}
		defer s.Close()
		servers[id] = s
	}
	defer pprof.StopCPUProfile()
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if err := carryOut(in.Text(), servers); err != nil {
			return err
		}
	}
	return nil
}

func carryOut(command string, servers map[uint64]*drummer.Server) error {
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
		for id, s := range servers {
			if _, leads := s.Leading(); leads {
				return s.NodeHost().RequestLeaderTransfer(server.ClusterID, id%uint64(len(servers))+1)
			}
		}
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
