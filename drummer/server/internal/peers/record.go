// SPDX-License-Identifier: Apache-2.0

package peers

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

const (
	// recordFile is in the directory of the server's NodeHost.
	recordFile = "drummer-server"
	// maxRecordBytes bounds it, and maxRecorded the servers in it.
	maxRecordBytes = 1 << 20
	maxRecorded    = 1024
	// maxID bounds addresses and incarnations, in bytes.
	maxID = 256
)

// record is what a server must not forget as long as it has its disk. It is
// safe for concurrent use.
//
// An incarnation is a disk: the ID of the NodeHost that is on it. A NodeID of
// DrummerDB belongs to the first incarnation that was heard under it, because
// whoever starts under that NodeID with another disk has forgotten its votes
// and what it acknowledged.
type record struct {
	own  string // this server's incarnation
	save func(data []byte) error

	mu    sync.Mutex
	kept  kept
	begun bool // Raft was started here, in this process or an earlier one
}

// kept is what is on the disk.
type kept struct {
	NodeID       uint64 `json:"node_id"`
	DeploymentID uint64 `json:"deployment_id"`
	// BootNs is this boot's, above that of every earlier one.
	BootNs int64 `json:"boot_ns"`
	// Started is set when this disk has, or had, a log of DrummerDB, and Join
	// how its first entry got there.
	Started bool `json:"started"`
	Join    bool `json:"join"`
	// Incarnations of the other servers, by NodeID.
	Incarnations map[uint64]string `json:"incarnations"`
}

// openRecord reads the record of the server on this disk, or begins one, and
// enters a boot at the time now, in nanoseconds.
func openRecord(file durable.File, own string, nodeID, deploymentID uint64, now int64) (*record, error) {
	r := &record{own: own, save: file.Write, kept: kept{NodeID: nodeID}}
	data, err := file.Read(maxRecordBytes)
	if err != nil {
		return nil, err
	}
	if data != nil {
		if err := json.Unmarshal(data, &r.kept); err != nil {
			return nil, fmt.Errorf("what Drummer server %d remembered in %s is damaged: %w", nodeID, file.Path(), err)
		}
	}
	if !r.kept.Started {
		r.kept.NodeID, r.kept.DeploymentID = nodeID, deploymentID // nothing here is anybody's yet
	}
	if r.kept.DeploymentID == 0 {
		r.kept.DeploymentID = deploymentID // it was not recorded once
	}
	switch {
	case r.kept.NodeID != nodeID:
		return nil, fmt.Errorf("%s belongs to Drummer server %d and can't be that of server %d: give each its own directory", file.Path(), r.kept.NodeID, nodeID)
	case r.kept.DeploymentID != deploymentID:
		return nil, fmt.Errorf("%s belongs to a server of deployment %d, and the configuration says %d; the ID of a deployment can't change: set deployment_id: %d again, or give a server of another deployment an empty data_dir",
			file.Path(), r.kept.DeploymentID, deploymentID, r.kept.DeploymentID)
	}
	r.kept.BootNs = max(now, r.kept.BootNs+1)
	if r.kept.Incarnations == nil {
		r.kept.Incarnations = map[uint64]string{}
	}
	return r, r.write(r.kept)
}

// write makes next durable and then what is kept. r.mu is held, or nobody else
// has r yet.
func (r *record) write(next kept) error {
	data, err := json.Marshal(next)
	if err != nil {
		return err
	}
	if err := r.save(data); err != nil {
		return err
	}
	r.kept = next
	return nil
}

// resume says that the disk has a log, and returns how its server once joined;
// join is taken for that when there is no record of it.
func (r *record) resume(join bool) (bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.begun = true
	if r.kept.Started {
		return r.kept.Join, nil
	}
	next := r.kept
	next.Started, next.Join = true, join
	return join, r.write(next)
}

// lost reports whether the disk had a log once; it is asked when there is none.
func (r *record) lost() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept.Started
}

// begin says that Raft is about to start for the first time, if the servers
// that answered are still the ones that are known here.
func (r *record) begin(answered map[uint64]string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for id, incarnation := range answered {
		if r.kept.Incarnations[id] != incarnation {
			return false
		}
	}
	r.begun = true
	return true
}

func (r *record) hasBegun() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.begun
}

func (r *record) incarnation(nodeID uint64) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.kept.Incarnations[nodeID]
}

// learn remembers the incarnations of servers that are not known by another
// one. What it is told of a NodeID it knows changes nothing.
func (r *record) learn(heard map[uint64]string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	var next map[uint64]string
	for id, incarnation := range heard {
		if incarnation == "" || len(incarnation) > maxID || r.kept.Incarnations[id] != "" {
			continue
		}
		if next == nil {
			next = maps.Clone(r.kept.Incarnations)
		}
		next[id] = incarnation
	}
	return r.setIncarnations(next)
}

// admit is learn for a server that asks for itself. Before Raft has started
// here, one that comes back with another disk is believed: an earlier one of it
// and this server can't have acknowledged anything together. It returns the
// incarnation that the NodeID belongs to.
func (r *record) admit(nodeID uint64, incarnation string) (known string, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	known = r.kept.Incarnations[nodeID]
	if known == incarnation || known != "" && r.begun {
		return known, nil
	}
	return incarnation, r.set(nodeID, incarnation)
}

// retain drops the incarnations of the servers that keep does not report, and returns
// how many there were. It writes only then.
func (r *record) retain(keep func(nodeID uint64) bool) (dropped int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := maps.Clone(r.kept.Incarnations)
	maps.DeleteFunc(next, func(id uint64, _ string) bool { return !keep(id) })
	if dropped = len(r.kept.Incarnations) - len(next); dropped == 0 {
		return 0, nil
	}
	return dropped, r.setIncarnations(next)
}

// replace gives a NodeID another incarnation than the one it had.
func (r *record) replace(nodeID uint64, old, incarnation string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.kept.Incarnations[nodeID] != old {
		return fmt.Errorf("server %d was heard under yet another incarnation", nodeID)
	}
	return r.set(nodeID, incarnation)
}

func (r *record) set(nodeID uint64, incarnation string) error {
	next := maps.Clone(r.kept.Incarnations)
	next[nodeID] = incarnation
	return r.setIncarnations(next)
}

// setIncarnations writes; nil is no change. r.mu is held.
func (r *record) setIncarnations(incarnations map[uint64]string) error {
	if incarnations == nil {
		return nil
	}
	if len(incarnations) > maxRecorded {
		return fmt.Errorf("more than %d servers have been heard of", maxRecorded)
	}
	next := r.kept
	next.Incarnations = incarnations
	return r.write(next)
}
