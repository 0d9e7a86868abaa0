// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

// nodeSet is a set of Raft nodes that survives the loss of power: an empty file a
// node, whose name says everything. Its directory is in the NodeHost's, so it is
// lost together with the Raft logs and never outlives them.
type nodeSet struct {
	fs  config.IFS
	dir string

	mu    sync.Mutex
	nodes map[key]bool
}

func loadNodeSet(nodehost config.NodeHostConfig, name string) (*nodeSet, error) {
	fs := nodehost.Expert.FS
	s := &nodeSet{fs: fs, dir: fs.PathJoin(nodehost.NodeHostDir, name), nodes: map[key]bool{}}
	if err := fs.MkdirAll(s.dir, 0o755); err != nil {
		return nil, fmt.Errorf("the directory %s can't be made: %w", s.dir, err)
	}
	if err := durable.SyncDir(fs, nodehost.NodeHostDir); err != nil {
		return nil, err
	}
	names, err := fs.List(s.dir)
	if err != nil {
		return nil, fmt.Errorf("the directory %s can't be read: %w", s.dir, err)
	}
	for _, name := range names {
		var k key
		if _, err := fmt.Sscanf(name, "%d-%d", &k.cluster, &k.node); err == nil && name == k.fileName() {
			s.nodes[k] = true
		}
	}
	return s, nil
}

func (k key) fileName() string { return fmt.Sprintf("%d-%d", k.cluster, k.node) }

func (s *nodeSet) path(k key) string { return s.fs.PathJoin(s.dir, k.fileName()) }

func (s *nodeSet) has(k key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nodes[k]
}

// all returns the nodes in the set, sorted.
func (s *nodeSet) all() []key {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.SortedFunc(maps.Keys(s.nodes), compareKeys)
}

func (s *nodeSet) note(k key, in bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if in {
		s.nodes[k] = true
	} else {
		delete(s.nodes, k)
	}
}

// set puts a node into the set, or takes it out. When it returns nil that survives
// the loss of power. It is not called for the same node at the same time.
func (s *nodeSet) set(k key, in bool) error {
	if s.has(k) == in {
		return nil
	}
	err := s.write(k, in)
	if err == nil {
		err = durable.SyncDir(s.fs, s.dir)
	}
	if err != nil {
		return err
	}
	s.note(k, in)
	return nil
}

func (s *nodeSet) write(k key, in bool) error {
	if !in {
		if err := s.fs.Remove(s.path(k)); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	file, err := s.fs.Create(s.path(k))
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
