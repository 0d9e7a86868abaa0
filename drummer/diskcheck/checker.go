// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"slices"
	"sync"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	"github.com/lni/dragonboat/v3/raftpb"
)

// Checker is a NodeHost's LogDB that remembers what it has acknowledged. It is set
// as config.ExpertConfig.LogDBFactory of one NodeHost, or by Start. It is safe for
// concurrent use.
type Checker struct {
	log     *slog.Logger
	factory config.LogDBFactory // of the LogDB; nil: Dragonboat's own
	// decorate, unless nil, is that of Decorated.
	decorate func(raftio.ILogDB) raftio.ILogDB

	mu    sync.Mutex
	fs    config.IFS
	logDB *logDB             // open
	lost  map[replica]string // what the logs lacked of their watermarks
}

// New returns a Checker; the logger may be nil.
func New(log *slog.Logger) *Checker {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Checker{log: log, lost: map[replica]string{}}
}

// Name implements config.LogDBFactory.
func (c *Checker) Name() string {
	if c.factory != nil {
		return c.factory.Name()
	}
	return logDBName
}

// Create implements config.LogDBFactory. The error is ErrDamaged when the files of
// the log are not what was written to them. While the NodeHost runs, another call
// returns its LogDB, whose Close does nothing: Dragonboat's tools.ImportSnapshot so
// works for a replica that does not run.
func (c *Checker) Create(nodehost config.NodeHostConfig, callback config.LogDBCallback, dirs, walDirs []string) (raftio.ILogDB, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.logDB != nil {
		return shared{c.logDB}, nil
	}
	c.fs = nodehost.Expert.FS
	watermarks, err := readMarks(c.fs, nodehost.NodeHostDir)
	if err != nil {
		return nil, err
	}
	inner, torn, err := c.open(nodehost, callback, dirs, walDirs)
	if err != nil {
		return nil, err
	}
	values, err := c.compare(inner, watermarks, torn)
	if err == nil {
		var marks *marks
		if marks, err = openMarks(c.fs, nodehost.NodeHostDir, values); err == nil {
			if c.decorate != nil {
				inner = c.decorate(inner)
			}
			c.logDB = &logDB{ILogDB: inner, marks: marks}
			return &owned{c.logDB, c}, nil
		}
	}
	_ = inner.Close()
	return nil, err
}

// open opens the LogDB, and reports whether one of its manifests is torn. The files
// of Dragonboat's own are looked through before.
func (c *Checker) open(nodehost config.NodeHostConfig, callback config.LogDBCallback, dirs, walDirs []string) (inner raftio.ILogDB, torn bool, err error) {
	if c.factory != nil {
		if inner, err = c.factory.Create(nodehost, callback, dirs, walDirs); err != nil {
			return nil, false, fmt.Errorf("the log can't be opened: %w", err)
		}
		return inner, false, nil
	}
	for shard := range nodehost.Expert.LogDB.Shards {
		dir := func(dirs []string) string {
			return c.fs.PathJoin(dirs[min(int(shard), len(dirs)-1)], fmt.Sprintf("logdb-%d", shard))
		}
		if len(walDirs) == 0 {
			walDirs = dirs
		}
		shardTorn, err := checkShard(c.fs, dir(dirs), dir(walDirs))
		if err != nil {
			return nil, false, err
		}
		torn = torn || shardTorn
	}
	if inner, err = newDefaultLogDB(nodehost, callback, dirs, walDirs, c.fs); err != nil {
		return nil, false, fmt.Errorf("the log can't be opened: %w", err)
	}
	if check, ok := inner.(interface{ SelfCheckFailed() (bool, error) }); ok {
		if failed, err := check.SelfCheckFailed(); failed || err != nil {
			_ = inner.Close()
			return nil, false, fmt.Errorf("the log has entries in a format that this version of Dragonboat does not use (%v)", err)
		}
	}
	return inner, torn, nil
}

// compare finds the replicas whose logs are below their watermarks, or have gaps,
// and returns all watermarks as they are to be from now on: a lost replica keeps its
// own. With entries all entries are looked at.
func (c *Checker) compare(inner raftio.ILogDB, watermarks map[replica]mark, entries bool) (map[replica]mark, error) {
	nodes, err := inner.ListNodeInfo()
	if err != nil {
		return nil, fmt.Errorf("the log can't be read: %w", err)
	}
	logs := map[replica]mark{}
	clear(c.lost)
	for _, node := range nodes {
		r := replica{node.ClusterID, node.NodeID}
		m, lacks, err := readLog(inner, r, entries)
		if err != nil {
			return nil, fmt.Errorf("the log of node %d of cluster %d can't be read: %w", r.node, r.cluster, err)
		}
		logs[r] = m
		if lacks != "" {
			c.lost[r] = lacks
		}
	}
	for r, watermark := range watermarks {
		if lacks := logs[r].below(watermark); lacks != "" {
			c.lost[r] = lacks
			logs[r] = watermark
		}
	}
	for _, r := range slices.SortedFunc(maps.Keys(c.lost), compareReplicas) {
		c.log.Error("a replica has lost what it acknowledged and will not be started", "cluster", r.cluster, "node", r.node, "lost", c.lost[r])
	}
	return logs, nil
}

// readLog returns what a replica's log has, and what it lacks by itself: entries
// between its snapshot and its end.
func readLog(inner raftio.ILogDB, r replica, entries bool) (m mark, lacks string, err error) {
	defer func() {
		if problem := recover(); problem != nil { // Dragonboat's answer to entries that are not there
			lacks = fmt.Sprint(problem)
		}
	}()
	snapshots, err := inner.ListSnapshots(r.cluster, r.node, math.MaxUint64)
	if err != nil {
		return m, "", err
	}
	if n := len(snapshots); n > 0 {
		m.last = snapshots[n-1].Index
	}
	next := m.last + 1
	state, err := inner.ReadRaftState(r.cluster, r.node, m.last)
	if err == raftio.ErrNoSavedLog {
		return m, "", nil // bootstrapped, and nothing more
	}
	if err != nil {
		return m, "", err
	}
	m.term, m.vote, m.commit = state.State.Term, state.State.Vote, state.State.Commit
	if state.EntryCount == 0 {
		return m, "", nil
	}
	m.last = state.FirstIndex + state.EntryCount - 1
	if state.FirstIndex > next {
		return m, gap(next, state.FirstIndex), nil
	}
	for entries && next <= m.last {
		const atATime = 4 << 20 // bytes
		some, _, err := inner.IterateEntries(nil, 0, r.cluster, r.node, next, m.last+1, atATime)
		if err != nil {
			return m, "", err
		}
		if len(some) == 0 {
			return m, gap(next, m.last), nil
		}
		next += uint64(len(some))
	}
	return m, "", nil
}

func gap(from, to uint64) string {
	return fmt.Sprintf("its log has no entry %d, and has entry %d", from, to)
}

// Replica returns why a replica that does not run must not be started here: its log
// lacks what it once acknowledged, or its snapshot is damaged. The error is
// ErrDamaged, or nil. A Checker that is nil, here and below, knows of nothing.
func (c *Checker) Replica(clusterID, nodeID uint64) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	lacks, logDB, fs := c.lost[replica{clusterID, nodeID}], c.logDB, c.fs
	c.mu.Unlock()
	if lacks != "" {
		return fmt.Errorf("%w: node %d of cluster %d has forgotten what it acknowledged: %s", ErrDamaged, nodeID, clusterID, lacks)
	}
	if logDB == nil {
		return nil
	}
	snapshots, err := logDB.ListSnapshots(clusterID, nodeID, math.MaxUint64)
	if err != nil {
		return fmt.Errorf("%w: which snapshots node %d of cluster %d has can't be read: %v", ErrDamaged, nodeID, clusterID, err)
	}
	if n := len(snapshots); n > 0 && snapshots[n-1].Filepath != "" {
		return checkSnapshot(fs, snapshots[n-1].Filepath)
	}
	return nil
}

// Entries returns the entries of a replica's log from an index on, or from behind its
// snapshot when that is later.
func (c *Checker) Entries(clusterID, nodeID, from uint64) ([]raftpb.Entry, error) {
	c.mu.Lock()
	logDB := c.logDB
	c.mu.Unlock()
	if logDB == nil {
		return nil, errors.New("no log is open")
	}
	m, lacks, err := readLog(logDB, replica{clusterID, nodeID}, true)
	if err == nil && lacks != "" {
		err = fmt.Errorf("%w: %s", ErrDamaged, lacks)
	}
	if err != nil {
		return nil, fmt.Errorf("the log of node %d of cluster %d can't be read: %w", nodeID, clusterID, err)
	}
	snapshots, err := logDB.ListSnapshots(clusterID, nodeID, math.MaxUint64)
	if err != nil {
		return nil, err
	}
	if n := len(snapshots); n > 0 {
		from = max(from, snapshots[n-1].Index+1)
	}
	var entries []raftpb.Entry
	for from <= m.last {
		some, _, err := logDB.IterateEntries(nil, 0, clusterID, nodeID, from, m.last+1, math.MaxUint64)
		if err != nil || len(some) == 0 {
			return nil, fmt.Errorf("%w: entry %d of node %d of cluster %d can't be read (%v)", ErrDamaged, from, nodeID, clusterID, err)
		}
		entries = append(entries, some...)
		from += uint64(len(some))
	}
	return entries, nil
}

// Log is what a replica's log has on disk: the term it is in, the term of its last
// entry, its last index, and how far it knows entries to be committed.
type Log struct{ Term, LastTerm, Last, Commit uint64 }

// Log returns what the log of a replica has.
func (c *Checker) Log(clusterID, nodeID uint64) (Log, error) {
	if c == nil {
		return Log{}, errors.New("this NodeHost was not started by diskcheck.Start, so its logs can't be read")
	}
	c.mu.Lock()
	logDB := c.logDB
	c.mu.Unlock()
	if logDB == nil {
		return Log{}, errors.New("no log is open")
	}
	m, ok := logDB.marks.get(replica{clusterID, nodeID})
	if !ok {
		return Log{}, fmt.Errorf("there is no log of node %d of cluster %d", nodeID, clusterID)
	}
	out := Log{Term: m.term, Last: m.last, Commit: m.commit}
	last, _, err := logDB.IterateEntries(nil, 0, clusterID, nodeID, m.last, m.last+1, math.MaxUint64)
	if err == nil && len(last) == 1 {
		out.LastTerm = last[0].Term
		return out, nil
	}
	snapshots, err := logDB.ListSnapshots(clusterID, nodeID, math.MaxUint64)
	if n := len(snapshots); err == nil && n > 0 && snapshots[n-1].Index == m.last {
		out.LastTerm = snapshots[n-1].Term
	}
	return out, err
}

// Lose gives a replica up that does not run: durably, it has lost what it acknowledged,
// whatever its log has. It is for somebody who knows more than the disk does.
func (c *Checker) Lose(clusterID, nodeID uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.logDB == nil {
		return errors.New("no log is open")
	}
	r := replica{clusterID, nodeID}
	if err := c.logDB.marks.lower(r, givenUp); err != nil {
		return err
	}
	c.lost[r] = mark{}.below(givenUp)
	c.log.Error("a replica was given up and will not be started", "cluster", clusterID, "node", nodeID)
	return nil
}

// Lost lists, by ClusterID, the NodeIDs of the replicas that have lost what they
// acknowledged, whether or not anything of them is left in the log.
func (c *Checker) Lost() map[uint64][]uint64 {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[uint64][]uint64{}
	for _, r := range slices.SortedFunc(maps.Keys(c.lost), compareReplicas) {
		out[r.cluster] = append(out[r.cluster], r.node)
	}
	return out
}

// Forget drops a replica that was removed, also one that has nothing but a
// watermark left.
func (c *Checker) Forget(clusterID, nodeID uint64) error {
	if c == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := replica{clusterID, nodeID}
	delete(c.lost, r)
	if c.logDB == nil {
		return nil
	}
	return c.logDB.marks.drop(r)
}

// owned is the LogDB that the NodeHost closes.
type owned struct {
	*logDB
	checker *Checker
}

func (o *owned) Close() error {
	o.checker.mu.Lock()
	defer o.checker.mu.Unlock()
	o.checker.logDB = nil
	return o.logDB.Close()
}

// shared is the LogDB for somebody beside the NodeHost.
type shared struct{ *logDB }

func (shared) Close() error { return nil }

func compareReplicas(a, b replica) int {
	return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.node, b.node))
}
