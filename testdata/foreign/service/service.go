// SPDX-License-Identifier: Apache-2.0

// Package service is a program of somebody's: an HTTP service that keeps values by
// key in Raft clusters, on Dragonboat without a Master.
//
//	PUT /CLUSTER/KEY   the body is the value
//	GET /CLUSTER/KEY
package service

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	sm "github.com/lni/dragonboat/v3/statemachine"
)

// Node is what the service needs of where it runs.
type Node struct {
	Clusters    map[uint64]map[uint64]string // members
	RaftAddress string
	NewNodeHost func(config.NodeHostConfig) (*dragonboat.NodeHost, error)
	Listen      func() (net.Listener, error)
}

// Run serves until ctx ends.
func Run(ctx context.Context, n Node) error {
	nodehost, err := n.NewNodeHost(config.NodeHostConfig{})
	if err != nil {
		return err
	}
	defer nodehost.Stop()
	for cluster, members := range n.Clusters {
		for node, address := range members {
			if address != n.RaftAddress {
				continue
			}
			c := config.Config{ClusterID: cluster, NodeID: node, ElectionRTT: 10, HeartbeatRTT: 2,
				CheckQuorum: true, SnapshotEntries: 60, CompactionOverhead: 10}
			if err := nodehost.StartCluster(members, false, newStore, c); err != nil {
				return err
			}
		}
	}
	listener, err := n.Listen()
	if err != nil {
		return err
	}
	server := &http.Server{Handler: &handler{nodehost}}
	context.AfterFunc(ctx, func() { server.Close() })
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) || ctx.Err() == nil {
		return fmt.Errorf("the server ended: %w", err)
	}
	return nil
}

type handler struct{ nodehost *dragonboat.NodeHost }

// limit is how long a request may take.
const limit = 3 * time.Second

// NoEffect is the header of refusals of what had no effect.
const NoEffect = "No-Effect"

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var number, key string
	if _, err := fmt.Sscanf(r.URL.Path, "/%1s/%s", &number, &key); err != nil {
		http.Error(w, "expected /CLUSTER/KEY", http.StatusBadRequest)
		return
	}
	cluster, _ := strconv.ParseUint(number, 10, 64)
	ctx, cancel := context.WithTimeout(r.Context(), limit)
	defer cancel()
	var value string
	var err error
	switch r.Method {
	case http.MethodPut:
		err = h.put(ctx, cluster, key, r.Body)
	default:
		value, err = h.get(ctx, cluster, key)
	}
	if err == nil {
		io.WriteString(w, value)
		return
	}
	for _, none := range []error{dragonboat.ErrClusterNotFound, dragonboat.ErrClusterNotReady, dragonboat.ErrSystemBusy} {
		if errors.Is(err, none) {
			w.Header().Set(NoEffect, "true")
		}
	}
	http.Error(w, err.Error(), http.StatusServiceUnavailable)
}

func (h *handler) put(ctx context.Context, cluster uint64, key string, body io.Reader) error {
	value, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	command, err := json.Marshal(pair{key, string(value)})
	if err != nil {
		return err
	}
	_, err = h.nodehost.SyncPropose(ctx, h.nodehost.GetNoOPSession(cluster), command)
	return err
}

type pair struct{ Key, Value string }

// store is the state machine.
type store struct{ values map[string]string }

func newStore(_, _ uint64) sm.IStateMachine { return &store{map[string]string{}} }

func (s *store) Update(command []byte) (sm.Result, error) {
	var p pair
	if err := json.Unmarshal(command, &p); err == nil {
		s.values[p.Key] = p.Value
	}
	return sm.Result{}, nil
}

func (s *store) Lookup(key any) (any, error) { return s.values[key.(string)], nil }

func (s *store) SaveSnapshot(w io.Writer, _ sm.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(s.values)
}

func (s *store) RecoverFromSnapshot(r io.Reader, _ []sm.SnapshotFile, _ <-chan struct{}) error {
	s.values = map[string]string{}
	return json.NewDecoder(r).Decode(&s.values)
}

func (s *store) Close() error { return nil }
