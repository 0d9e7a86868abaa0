// SPDX-License-Identifier: Apache-2.0

package smtest

import "slices"

var reopen = check{
	name:  "reopen",
	kinds: onDisk,
	contract: "Open returns the Raft index of the last entry that is in the files, or 0. " +
		"Dragonboat then applies what comes after that index, and never again what comes before: " +
		"an index that is too high loses entries, one that is too low applies some twice, and what Sync was called for must be there. " +
		"Whether Close was called makes no difference.",
	advice: "Store Entry.Index, not a count of updates, in the same atomic write as what the entry changed. Hand on the snapshot's index with the snapshot. " +
		"Don't leave to Close what Sync has to do.",
	run: func(t *trial) { t.restarts(false) },
}

var powerLoss = check{
	name:  "power loss",
	kinds: onDisk,
	contract: "What Sync was called for survives a power loss, and no later entry is there where an earlier one is gone. " +
		"Of what was written since, any part may be lost, in any order: the state must be that after some entry then, and Open must return the index of just that one. " +
		"Names of files and folders are lost as well until the folder they are in is synced.",
	advice: "In Sync, sync every file that was written, and the folder in which one was made or renamed. Put a checksum on what may be torn. " +
		"Make a new version visible by renaming a file that was synced before, and sync the folder after it.",
	run: func(t *trial) { t.restarts(true) },
}

// life is what an on-disk replica went through.
type life struct {
	*replica
	t        *trial
	synced   int       // the place of the log that must survive
	written  int       // the last place it may remember
	received *snapshot // since the last Sync; Dragonboat has it for the next start
}

const (
	lives        = 3  // processes of a replica in one trial
	stepsALife   = 6  // at most
	changesALife = 40 // to the disk, before it ends in the middle of something; at most
	batchInALife = 4  // entries, at most
)

// restarts takes a replica through several processes, with a drawn end each.
func (t *trial) restarts(powerLosses bool) {
	l := &life{replica: t.start("the replica"), t: t}
	for range lives {
		how := death{powerLoss: powerLosses}
		if powerLosses && t.chance(2) {
			how.torn = t.plan.Uint64() | 1
		}
		l.live(how)
		l.begin()
	}
	from := l.at
	for i := from; i < len(t.log); i++ {
		t.step("it applies entry %d", i+1)
		t.sameResults(l.name, i, l.apply(i+1))
	}
	t.sameState(l.replica)
	t.step("Sync is called")
	l.sync()
	l.synced, l.written, l.received = l.at, l.at, nil
	l.end(death{powerLoss: powerLosses}, false)
	l.begin()
	if l.at != len(t.log) {
		t.fail("Open named entry %d as the last, though Sync was called after entry %d and nothing was applied since.", l.at, len(t.log))
	}
}

// live does what is drawn until the process ends: in the middle of a change to
// the disk, where the disk can do that, or after a few steps.
func (l *life) live(how death) {
	if p := l.process(); p != nil && l.t.chance(2) {
		p.dieAfter(1+l.t.plan.IntN(changesALife), how)
	}
	for range l.t.plan.IntN(stepsALife + 1) {
		l.act()
		if l.isDead() {
			l.t.step("in the middle of that the replica %v", how)
			l.discard()
			return
		}
	}
	closes := l.t.chance(3)
	l.end(how, closes)
}

// end ends the process between two steps.
func (l *life) end(how death, closes bool) {
	if closes {
		l.t.step("Close is called")
		l.close()
	}
	l.t.step("the replica %v", how)
	l.die(how)
}

// process is the simulated process, if it is one.
func (l *life) process() *process {
	if d, ok := l.disk.(*simulatedDisk); ok {
		return d.process()
	}
	return nil
}

func (l *life) isDead() bool {
	p := l.process()
	return p != nil && p.isDead()
}

// act takes one step. What it promised counts only if the process is alive
// afterwards.
func (l *life) act() {
	left := len(l.t.log) - l.at
	switch kind := l.t.plan.IntN(6); {
	case kind == 5 && left > 0:
		l.receive(l.at + 1 + l.t.plan.IntN(left))
	case kind >= 4:
		l.t.step("Sync is called")
		l.sync()
		if !l.isDead() {
			l.synced, l.received = l.at, nil
		}
	case left > 0:
		from := l.at
		to := from + 1 + l.t.plan.IntN(min(left, batchInALife))
		l.t.step("it applies %s", l.t.entries(from, to))
		l.written = to
		l.t.sameResults(l.name, from, l.apply(to))
	}
}

// receive lets the replica recover from a snapshot of one that is ahead.
func (l *life) receive(at int) {
	donor := l.t.start("a replica that is ahead")
	donor.apply(at)
	saved := donor.save()
	donor.discard()
	l.t.step("it recovers from a snapshot saved %s, and Sync is called", place(at))
	l.written, l.received = at, &saved
	l.restore(saved, readSizes{})
	if !l.isDead() {
		l.synced, l.received = at, nil
	}
}

// begin starts a new process, and checks what it remembers.
func (l *life) begin() {
	l.mount()
	index := l.open()
	l.t.step("it is started again: Open returns %d", index)
	at, known := slices.BinarySearchFunc(l.t.log, index, func(e entry, index uint64) int {
		return int(e.index) - int(index)
	})
	if known {
		at++ // the place after it
	} else if index != 0 {
		l.t.fail("Open returned %d, which is the index of no entry that the replica was given.", index)
	}
	switch {
	case at > l.written:
		l.t.fail("Open returned %d, the index of entry %d. The replica was given nothing beyond entry %d.", index, at, l.written)
	case l.received != nil && at < l.received.at:
		l.t.step("RecoverFromSnapshot is called again, as Dragonboat has the snapshot, and Sync")
		l.restore(*l.received, readSizes{})
		l.synced, l.received, at = l.at, nil, l.at
	case at < l.synced:
		l.t.fail("Open returned %d. Sync was called after entry %d (index %d), and Dragonboat may have dropped the log up to there.", index, l.synced, l.t.index(l.synced))
	}
	l.at, l.written = at, at
	l.t.sameState(l.replica)
}
