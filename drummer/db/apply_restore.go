// SPDX-License-Identifier: Apache-2.0

package db

import (
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// restore makes a backup the state of a DrummerDB that was begun after it, for the
// same deployment. What the hosts report now, which may be newer than the backup or
// older than what was lost, is asked for anew; until an operator has looked at that
// and resumes, nothing is decided.
func (e *edit) restore(cmd *pb.Restore) {
	if why := e.inUse(); why != "" {
		e.refuse(pb.CommandCode_CONFLICT, "a backup can only be restored into a new DrummerDB: %s", why)
		return
	}
	backup, err := DecodeBackup(cmd.GetBackup())
	switch {
	case err != nil: // its text is not the same in all versions of all libraries
		e.refuse(pb.CommandCode_INVALID, "the %d bytes are not a whole backup that this version can read", len(cmd.GetBackup()))
		return
	case backup.DeploymentID != e.s.DeploymentID:
		e.refuse(pb.CommandCode_CONFLICT, "the backup is of deployment %d, this is %d; NodeHosts stay with their deployment's ID, so these servers need it too",
			backup.DeploymentID, e.s.DeploymentID)
		return
	case backup.DeploymentEpoch > e.s.DeploymentEpoch:
		e.refuse(pb.CommandCode_CONFLICT, "the backup is of epoch %d, which by the clocks is later than these servers' epoch %d; set the clocks, and start the servers on empty disks again",
			backup.DeploymentEpoch, e.s.DeploymentEpoch)
		return
	}
	e.adoptBackup(backup)
	e.event(&pb.Event{Kind: pb.EventRestored, By: shorten(cmd.GetBy())}, "restored%s from a backup of epoch %d at index %d, with %d clusters and %d hosts",
		by(cmd.GetBy()), backup.DeploymentEpoch, backup.Index, backup.Clusters.Len(), backup.Hosts.Len())
	e.setPaused(&pb.SetPaused{Paused: true, By: "Drummer itself",
		Reason: "this DrummerDB was restored from a backup; see that `nodehosts` shows the fleet and `clusters` what you expect, then resume"})
}

// inUse says what somebody has told this DrummerDB already, "" when nothing.
func (e *edit) inUse() string {
	if e.s.Launched {
		return "this one was launched"
	}
	for c := range e.s.Clusters.Values() {
		if c.Spec != nil || c.Deleted {
			return "this one has clusters already"
		}
	}
	for _, t := range e.s.Tombstones.All() {
		if t.Deleted {
			return "this one has had clusters"
		}
	}
	return ""
}

// adoptBackup makes a backup the state that is edited. Indexes, terms and epoch stay
// those of this DrummerDB; clocks and counters go on from the larger one.
func (e *edit) adoptBackup(backup *State) {
	now := e.s
	e.s = *backup
	e.hosts, e.clusters = map[string]*Host{}, map[uint64]*Cluster{}
	e.s.Index, e.s.Term, e.s.LeaderNodeID = now.Index, now.Term, now.LeaderNodeID
	e.s.DeploymentEpoch, e.s.Version, e.s.TTL, e.s.Blown = now.DeploymentEpoch, now.Version, now.TTL, nil
	e.s.Tick = max(now.Tick, backup.Tick)
	e.s.NextOperationID = max(now.NextOperationID, backup.NextOperationID)
	e.s.NextEventSequence = max(now.NextEventSequence, backup.NextEventSequence)
	e.s.Paused = false
	for _, op := range backup.Operations.All() {
		e.closeOperation(op, unknown, operationEvent(pb.EventOperationOvertaken, op), "was under way when the backup was made")
	}
	for id := range backup.Hosts.All() {
		if h := e.host(id); !h.Gone {
			// It has its time to live to speak.
			h.Silent, h.LastSeen, h.Unconfirmed = true, e.s.Tick, true
		}
	}
	for id := range backup.Clusters.All() {
		c := e.cluster(id)
		e.changed(c)
		for i := range c.Nodes {
			// It may have run, and been removed with its data, after the backup was
			// made: it must never be started as one that has no log yet.
			c.Nodes[i].Asked, c.Nodes[i].Started = true, true
		}
	}
}
