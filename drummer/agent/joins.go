// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"errors"
	"fmt"
	"os"
	"sync"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

// joinsDir is in the NodeHost's directory, so it is lost together with the Raft
// logs and never outlives them.
const joinsDir = "drummer-observers"

// joins remembers across restarts which nodes on this host joined their cluster
// as observers, whatever became of them: an empty file a node, whose name says
// everything.
//
// Dragonboat has to be told again at every restart. A node that replays from
// its log, or finds in a snapshot, that it is an observer must be started as
// one, or the whole NodeHost panics; one that replays only that it is a voter
// must not be, or it never votes. Neither Dragonboat nor a membership says
// which of the two a voter is. So what is remembered here counts more than what
// a Drummer believes that has learnt of the cluster later.
type joins struct {
	fs  config.IFS
	dir string

	mu        sync.Mutex
	observers map[key]bool
}

func loadJoins(nodehost config.NodeHostConfig) (*joins, error) {
	fs := nodehost.Expert.FS
	j := &joins{fs: fs, dir: fs.PathJoin(nodehost.NodeHostDir, joinsDir), observers: map[key]bool{}}
	if err := fs.MkdirAll(j.dir, 0o755); err != nil {
		return nil, fmt.Errorf("the directory %s can't be made: %w", j.dir, err)
	}
	if err := durable.SyncDir(fs, nodehost.NodeHostDir); err != nil {
		return nil, err
	}
	names, err := fs.List(j.dir)
	if err != nil {
		return nil, fmt.Errorf("which nodes joined as observers can't be read from %s: %w", j.dir, err)
	}
	for _, name := range names {
		var k key
		if _, err := fmt.Sscanf(name, "%d-%d", &k.cluster, &k.node); err == nil && name == k.fileName() {
			j.observers[k] = true
		}
	}
	return j, nil
}

func (k key) fileName() string { return fmt.Sprintf("%d-%d", k.cluster, k.node) }

func (j *joins) path(k key) string { return j.fs.PathJoin(j.dir, k.fileName()) }

// asObserver reports whether a node is known to have joined as an observer.
func (j *joins) asObserver(k key) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.observers[k]
}

func (j *joins) note(k key, observer bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if observer {
		j.observers[k] = true
	} else {
		delete(j.observers, k)
	}
}

// set remembers a node that joins as an observer, and forgets one that does
// not, or whose data is gone. When it returns nil that survives the loss of
// power. It is not called for the same node at the same time.
func (j *joins) set(k key, observer bool) error {
	if j.asObserver(k) == observer {
		return nil
	}
	err := j.write(k, observer)
	if err == nil {
		err = durable.SyncDir(j.fs, j.dir)
	}
	if err != nil {
		return fmt.Errorf("how node %d of cluster %d joined can't be remembered: %w", k.node, k.cluster, err)
	}
	j.note(k, observer)
	return nil
}

func (j *joins) write(k key, observer bool) error {
	if !observer {
		if err := j.fs.Remove(j.path(k)); err != nil && !os.IsNotExist(err) {
			return err
		}
		return nil
	}
	file, err := j.fs.Create(j.path(k))
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
