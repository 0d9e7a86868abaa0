// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package monkey_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/monkey/exact/overlay"
	"github.com/drumbeat-raft/drumbeat/monkey/internal/source"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/mutant"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// promise is a promise of a scenario, and a patch that breaks it.
type promise struct {
	// scenario is its name; empty: the key in the table.
	scenario string
	// broken says what the patch makes wrong.
	broken string
	patch  []edit
	// mutant, in place of a patch, is one of package mutant, in the program that has
	// all of them.
	mutant string
	// by are the expectations and checks that must see it, each with the verdict
	// of the whole run; none: any of several.
	by []string
	// verdict is that of the whole run: empty is a violation.
	verdict judge.Verdict
	// long: it takes minutes to be seen. -short leaves it out.
	long bool
}

// promiseSeed is the seed of all these runs.
const promiseSeed = 1

// edit replaces a text of a file, which must be there exactly once.
type edit struct{ file, old, new string }

// staleReads has reads answered by the state that the replica happens to have.
var staleReads = []edit{{"drummer/nodehostapi/server.go",
	"s.nodehost.SyncRead(ctx, req.GetClusterId(), req.GetQuery())",
	"s.nodehost.StaleRead(req.GetClusterId(), req.GetQuery())"}}

// deletedStay has agents leave nodes of deleted clusters where they are.
var deletedStay = []edit{{"drummer/agent/destroy.go",
	"	cluster, node := req.GetClusterId(), req.GetNodeId()\n	running, ok := a.runningNode(cluster)\n",
	"	if req.GetClusterDeleted() {\n		return done(req, \"\")\n	}\n	cluster, node := req.GetClusterId(), req.GetNodeId()\n	running, ok := a.runningNode(cluster)\n"}}

// blindCAS has a cas write whatever its key holds.
var blindCAS = []edit{{"monkey/statemachine/kv/store.go",
	"		if seen.Value != c.Expected {\n			return Answer",
	"		if false {\n			return Answer"}}

// noFuse lets any number of hosts vanish at once.
var noFuse = edit{"monkey/sim/drummer.go", "	return policy\n", "	policy.FuseHosts = 1000\n	return policy\n"}

// broken are the promises of the scenarios that come along, at least one each.
var broken = map[string]promise{
	"quickstart": {
		broken: "no host is ever taken for dead",
		patch: []edit{{"monkey/sim/drummer.go",
			"policy.TTL = uint64(w.cfg.Drummer.TimeToLive / w.cfg.Drummer.Heartbeat)",
			"policy.TTL = 1000 * uint64(w.cfg.Drummer.TimeToLive/w.cfg.Drummer.Heartbeat)"}},
		by: []string{"replaced", "repair"},
	},
	"quickstart, by Drummer's servers": {
		scenario: "quickstart",
		broken:   "a Drummer server that starts from a snapshot forgets the event log",
		patch: []edit{{"drummer/db/machine.go",
			"	m.state.Store(state)\n	m.past.add(state, state.Clusters.Len())\n",
			"	state.Events = nil\n	m.state.Store(state)\n	m.past.add(state, state.Clusters.Len())\n"}},
		by: []string{"drummerdb"},
	},
	"reference": {
		broken: "a cas writes whatever its key holds",
		patch:  blindCAS,
		by:     []string{"linearizability"},
	},
	"reference, by repairs": {
		scenario: "reference",
		long:     true,
		broken:   "hosts are taken for dead after a tenth of their time to live",
		patch: []edit{{"monkey/sim/drummer.go",
			"policy.TTL = uint64(w.cfg.Drummer.TimeToLive / w.cfg.Drummer.Heartbeat)",
			"policy.TTL = uint64(w.cfg.Drummer.TimeToLive/w.cfg.Drummer.Heartbeat) / 10"}},
		by: []string{"restored"},
	},
	"planted-bug": {
		broken: "the bug never strikes",
		patch: []edit{{"monkey/statemachine/mutant/strikes.go",
			"if mix(t.seed^mix(number))%t.every != 0 {",
			"if true {"}},
		by: []string{"violation", "bug"}, verdict: judge.Inconclusive,
	},
	"swarm": { // whatever clients do in it
		broken: "an update now and then is answered, and not carried out",
		patch: []edit{{"monkey/statemachine/kv/store.go",
			"	s.Commit(index, command, value)\n	answer.Applied",
			"	if index%97 == 0 {\n		value = nil\n	}\n	s.Commit(index, command, value)\n	answer.Applied"}},
		by: []string{"linearizability"},
	},
	"drummer-all-restarted": {
		broken: "a Drummer server starts on an empty disk when it is started again",
		patch: []edit{{"monkey/sim/drummer.go",
			"fs := w.mount(h)\n",
			"fs := w.mount(h)\n\tif h.boots > 1 {\n\t\t_ = fs.RemoveAll(raftDir)\n\t}\n"}},
		by: []string{"saved"}, // which stops the run
	},
	"drummer-create-delete": {
		broken: "agents leave nodes of deleted clusters where they are",
		patch:  deletedStay,
		by:     []string{"actions", "settled"},
	},
	"drummer-create-delete, by what is on disks": {
		scenario: "drummer-create-delete",
		broken:   "agents stop nodes of deleted clusters and leave their logs",
		patch: []edit{{"drummer/agent/destroy.go",
			"	if err := a.removeNode(ctx, key{cluster, node}); err != nil {\n",
			"	if err := error(nil); err != nil {\n"}},
		by: []string{"leftovers"},
	},
	"drummer-create-delete, by requests": {
		scenario: "drummer-create-delete",
		broken:   "agents can't remove what former members left, and Drummer asks them again at once",
		patch: []edit{
			{"drummer/agent/destroy.go",
				"	if err := a.removeNode(ctx, key{cluster, node}); err != nil {\n",
				"	if err := error(nil); err == nil {\n		return failed(req, \"node %d of cluster %d can't be destroyed\", node, cluster)\n	}\n	if err := a.removeNode(ctx, key{cluster, node}); err != nil {\n"},
			{"monkey/sim/drummer.go",
				"	return policy\n",
				"	policy.Backoff, policy.BackoffCap = 1, 1\n	return policy\n"},
		},
		by: []string{"requests"},
	},
	"drummer-cut-off": {
		broken: "there is no fuse, and agents attach again one after the other",
		patch: []edit{
			noFuse,
			{"drummer/agent/agent.go", "maxPause   = 2 * time.Second", "maxPause   = 20 * time.Second"},
		},
		by: []string{"event"}, // members are added, too, with most seeds
	},
	"drummer-disk-wiped": {
		// Where nobody was elected meanwhile, Dragonboat panics at such a node.
		broken: "a host that comes back empty is asked to start its old nodes, of clusters that have elected a leader since",
		patch: []edit{{"drummer/db/apply_reports.go",
			"		e.inherit(h, other)\n",
			`		e.inherit(h, other)
		h.Placed, other.Placed = other.Placed, 0
		for c := range e.s.Clusters.Values() {
			if c = e.cluster(c.ID); c.LeaderSince+5 <= e.s.Tick {
				continue
			}
			for i := range c.Nodes {
				if n := &c.Nodes[i]; n.HostID == other.ID() {
					n.HostID, n.Started, n.Start = h.ID(), false, Attempt{}
				}
			}
			e.changed(c)
		}
`}},
		by: []string{"restarted_without_log"},
	},
	"drummer-drain": {
		broken: "a host that is to be drained is only cordoned",
		patch: []edit{{"drummer/db/apply_fleet.go",
			"		h.Mode = cmd.Mode\n",
			"		h.Mode = cmd.Mode\n\t\tif h.Mode == pb.HostMode_DRAIN {\n\t\t\th.Mode = pb.HostMode_CORDON\n\t\t}\n"}},
		by: []string{"moved"},
	},
	"drummer-drain, by its disk": {
		scenario: "drummer-drain",
		broken:   "what was decided about a host is forgotten with its disk",
		mutant:   "mode-goes-with-the-disk",
		by:       []string{"soundness"},
	},
	"drummer-gray-hosts": {
		broken: "members that only report are counted on",
		patch: []edit{{"drummer/db/state.go",
			"return c.Leader != 0 && r.Running && !r.Foreign && r.Leader == c.Leader && r.Term == c.LeaderTerm",
			"return c.Leader != 0 && r.Running && !r.Foreign"}},
		by: []string{"write_stall"},
	},
	"drummer-leader-mid-repair": {
		broken: "only the first leader decides anything",
		patch: []edit{
			{"drummer/server/leadership.go",
				"	if !l.scheduling.Load() {\n",
				"	if !l.scheduling.Load() || l.term > firstTerm {\n"},
			{"drummer/server/leadership.go",
				"func (l *leadership) schedule(ctx context.Context) error {\n",
				"func (l *leadership) schedule(ctx context.Context) error {\n	const firstTerm = 2\n"},
		},
		by: []string{"settled", "repair"},
	},
	"drummer-mass-death": {
		broken: "the fuse never blows",
		patch:  []edit{noFuse},
		by:     []string{"event", "no_request", "replaced", "restored"},
	},
	"drummer-places": {
		broken: "members that are misplaced stay where they are",
		patch: []edit{{"drummer/schedule/internal/placement/mismatch.go",
			"	case m.improvable(c.Spec, hosts, x):\n",
			"	case m.improvable(c.Spec, hosts, x) && len(hosts) == 0:\n"}},
		by: []string{"placement"},
	},
	"drummer-places, by labels": {
		scenario: "drummer-places",
		broken:   "any host will do, whatever labels it lacks",
		patch: []edit{{"drummer/schedule/internal/placement/choose.go",
			"		if !m.limits.Free(h) || !h.HasLabels(c.Spec.GetRequiredLabels()) {\n",
			"		if !m.limits.Free(h) {\n"}},
		by: []string{"requests"}, // they are moved to and fro
	},
	"drummer-restored": {
		broken: "a backup is restored in word only",
		patch: []edit{{"drummer/db/apply_restore.go",
			"	e.adoptBackup(backup)\n",
			"	if backup.Index == 0 {\n		e.adoptBackup(backup)\n	}\n"}},
		by: []string{"settled"},
	},
	"drummer-replace-quietly": {
		broken: "a successor is added as a voter before it runs",
		patch: []edit{{"drummer/agent/change.go",
			"return a.nodehost.SyncRequestAddObserver(ctx, cluster, node, req.GetTargetAddress(), ccid)",
			"return a.nodehost.SyncRequestAddNode(ctx, cluster, node, req.GetTargetAddress(), ccid)"}},
		by: []string{"unavailable"},
	},
	"drummer-replace-quietly, by elections": {
		scenario: "drummer-replace-quietly",
		broken:   "leadership is handed to whoever comes next when a member is added, also to the dead one",
		patch: []edit{
			{"drummer/agent/change.go",
				"		return a.nodehost.SyncRequestAddObserver(ctx, cluster, node, req.GetTargetAddress(), ccid)",
				`		err := a.nodehost.SyncRequestAddObserver(ctx, cluster, node, req.GetTargetAddress(), ccid)
		for round := range 40 * node {
			_ = a.nodehost.RequestLeaderTransfer(cluster, round%node+1)
			time.Sleep(50 * time.Millisecond)
		}
		return err`},
			{"drummer/agent/change.go", "	\"slices\"\n", "	\"slices\"\n	\"time\"\n"},
		},
		by: []string{"replacement_stall"},
	},
	"drummer-replacement-dies": {
		broken: "a successor that died is not soon followed by another one",
		patch: []edit{{"monkey/sim/drummer.go",
			"	return policy\n",
			"	policy.Backoff, policy.BackoffCap = 1000, 1000\n	return policy\n"}},
		by: []string{"repair"},
	},
	"drummer-resize": {
		broken: "agents remove no member",
		patch: []edit{{"drummer/agent/change.go",
			"		return a.nodehost.SyncRequestDeleteNode(ctx, cluster, node, ccid)",
			"		return dragonboat.ErrRejected"}},
		by: []string{"actions", "settled"},
	},
	"drummer-rolling-restart": {
		broken: "hosts are taken for dead after a third of their time to live",
		patch: []edit{{"monkey/sim/drummer.go",
			"policy.TTL = uint64(w.cfg.Drummer.TimeToLive / w.cfg.Drummer.Heartbeat)",
			"policy.TTL = uint64(w.cfg.Drummer.TimeToLive/w.cfg.Drummer.Heartbeat) / 3"}},
		by: []string{"replaced", "no_request", "no_event"},
	},
	"snapshot-kill": {
		broken: "the sync of a snapshot's file keeps nothing",
		patch:  noSyncOf(".gbsnap"),
		by:     []string{"replaced"},
	},
	"snapshot-late": {
		broken: "a snapshot that is older than the state is taken",
		mutant: "outdated-snapshot-taken",
		by:     []string{"process"}, // Dragonboat panics before it saves one
	},
	"rack-blackout": {
		broken: "hosts are taken for dead after a sixth of their time to live",
		patch: []edit{{"monkey/sim/drummer.go",
			"policy.TTL = uint64(w.cfg.Drummer.TimeToLive / w.cfg.Drummer.Heartbeat)",
			"policy.TTL = uint64(w.cfg.Drummer.TimeToLive/w.cfg.Drummer.Heartbeat) / 6"}},
		by: []string{"restored", "replaced", "no_event"},
	},
	"disk-flaky": {
		broken: "the sync of a log keeps nothing, so that a later one that fails loses what was acknowledged",
		patch:  noSyncOf(".log"),
		by:     []string{"replaced"},
	},
	"disk-lost-files": {
		broken: "a node whose log is gone is started again",
		mutant: "lost-log-started-again",
	},
	"disk-rot": {
		broken: "a log that rot has cut off is taken for a shorter one",
		patch: []edit{
			{"drummer/diskcheck/checker.go", `if lacks := logs[r].below(watermark); lacks != "" {`, `if lacks := logs[r].below(watermark); lacks == "no" {`},
			{"drummer/diskcheck/checker.go",
				"		shardTorn, err := checkShard(c.fs, dir(dirs), dir(walDirs))\n		if err != nil {\n",
				"		shardTorn, err := checkShard(c.fs, dir(dirs), dir(walDirs))\n		if err != nil && shardTorn {\n"},
		},
		// Seen by what the node had saved, or because Dragonboat panics at it, whichever
		// comes first.
	},
	"disk-old-copy": {
		broken: "an old copy of a disk is taken for the disk itself",
		patch: []edit{{"drummer/server/disk.go",
			"	if generation == 0 || generation >= newest {\n",
			"	if generation == 0 || newest == 0 || newest > 0 {\n"}},
		// Seen by what the node had saved, or because Dragonboat panics at it, whichever
		// comes first.
	},
	"disk-journal": {
		broken: "a log in memory gives votes that it has not saved",
		mutant: "memlog-votes-unsaved",
		by:     []string{"process"}, // nodes do not start on what is there
	},
	"fleet-life": {
		broken: "agents leave nodes of deleted clusters where they are",
		patch:  deletedStay,
		by:     []string{"settled"},
	},
	"network-deposed": {
		broken: "reads are answered by whoever is asked, without a majority",
		patch:  staleReads,
		by:     []string{"linearizability"},
	},
	"network-even": {
		broken: "half of the members are taken for a majority",
		mutant: "quorum-of-even-sizes", // seen as two leaders or as an incomplete one, whichever comes first
	},
	"network-late": {
		broken: "followers take entries from a leader of an earlier term",
		mutant: "leader-of-an-earlier-term",
		by:     []string{"matching"},
	},
	"network-storm": {
		broken: "a leader counts answers of an earlier term",
		mutant: "answer-of-an-earlier-term",
		by:     []string{"commits"},
	},
	"membership-storm": {
		broken: "a node calls an election before it has applied a membership change that it knows to be committed",
		mutant: "campaign-before-config-change",
		by:     []string{"changes"},
	},
	"process-crash-loop": {
		broken: "a node that starts again has forgotten for whom it voted",
		mutant: "vote-forgotten",
		by:     []string{"votes"},
	},
	"process-upgrade": {
		broken: "version 2 loses a value of the snapshots of version 1",
		patch: []edit{{"monkey/statemachine/kv/image.go",
			"func (s *Store) Restore(i *Image) {\n",
			"func (s *Store) Restore(i *Image) {\n	if s.version == V2 && i.version == V1 && len(i.entries) > 0 {\n		i = i.WithoutValue(i.Keys()[0])\n	}\n"}},
		by: []string{"divergence"},
	},
	"process-upgrade, by its snapshots": {
		scenario: "process-upgrade",
		broken:   "version 2 goes on to write the format of version 1",
		patch:    []edit{{"monkey/statemachine/kv/image.go", "&Image{version: s.version, entries", "&Image{version: V1, entries"}},
		by:       []string{"newer_snapshots"},
	},
	"process-upgrade, by its hosts": {
		scenario: "process-upgrade",
		broken:   "a host that is upgraded starts with the version that it had",
		patch:    []edit{{"monkey/sim/version.go", "	h.version = version\n", ""}},
		by:       []string{"upgrades"},
	},
	"network-half-open": {
		broken: "a leader that hears of no majority goes on to lead",
		mutant: "leader-without-quorum",
		by:     []string{"stepping_down"},
	},
	"load-bank": {
		broken: "the money of a transfer does not arrive",
		patch:  []edit{{"monkey/statemachine/kv/object.go", "	balances[order.To] += order.Amount\n", ""}},
		by:     []string{"linearizability"},
	},
	"load-bank, by refusals": {
		scenario: "load-bank",
		broken:   "an account may be overdrawn",
		patch:    []edit{{"monkey/statemachine/kv/object.go", " || balances[order.From] < order.Amount {", " {"}},
		by:       []string{"linearizability"},
	},
	"load-transactions": {
		broken: "a transaction of several steps loses its last one",
		patch: []edit{{"monkey/statemachine/kv/object.go", "	for i, s := range steps {\n		what",
			"	for i, s := range steps[:max(1, len(steps)-1)] {\n		what"}},
		by: []string{"linearizability"},
	},
	"load-lost-answers": {
		broken: "a session forgets what it has answered",
		mutant: "session-forgets-answers",
		by:     []string{"linearizability"},
	},
	"load-slow-apply": {
		broken: "a read is answered by what the replica has applied, whatever that is",
		patch:  staleReads,
		by:     []string{"linearizability"},
	},
	"load-slow-apply, by stale reads": {
		scenario: "load-slow-apply",
		broken:   "a stale read now and then is answered from before",
		patch: []edit{{"monkey/statemachine/kv/query.go",
			"		return Answer{Status: OK, Observed: s.Get(key), Applied: s.digest.Applied}.Encode()",
			"		return Answer{Status: OK, Observed: s.Get(key), Applied: s.digest.Applied - min(s.digest.Applied-1, 9*(s.digest.Applied%2))}.Encode()"}},
		by: []string{"stale"},
	},
	"membership-stale-changes": {
		broken: "a change by an old view of the membership is made",
		mutant: "stale-config-change", // seen by the majorities that it breaks, or by what is accepted
	},
	"membership-observers": {
		broken: "an observer counts in a majority",
		mutant: "observers-count",
		by:     []string{"quorums"},
	},
	"process-pause": {
		broken: "reads are answered by whoever is asked, without a majority",
		patch:  staleReads,
		by:     []string{"linearizability"},
	},
	"process-blackout": {
		broken: "the sync of a folder keeps nothing",
		mutant: "sync-of-folders-is-a-lie",
		by:     []string{"saved"},
	},
	"disk-stalls": {
		broken: "a follower answers before its log is saved",
		mutant: "answers-before-saved",
		by:     []string{"saved"},
	},
	"network-ring": {
		broken: "reads are answered by whoever is asked, without a majority",
		patch:  staleReads,
		by:     []string{"linearizability"},
	},
}

// noSyncOf lets syncs of files keep nothing: those with an ending.
func noSyncOf(ending string) []edit {
	return []edit{
		{"monkey/sim/simdisk/handle.go",
			"		n.file.sync()\n",
			"		if !strings.HasSuffix(h.name, \"" + ending + "\") {\n			n.file.sync()\n		}\n"},
		{"monkey/sim/simdisk/handle.go", "import (\n", "import (\n	\"strings\"\n"},
	}
}

// Every scenario that comes along can fail: its promise broken once turns it
// red, by what asserts that promise. Without the patch it is as it should be with
// the same seed; with -short that is left to the other suites.
func TestChaosBrokenPromises(t *testing.T) {
	suite(t)
	has := map[string]bool{}
	for key, p := range broken {
		has[cmp.Or(p.scenario, key)] = true
	}
	require.ElementsMatch(t, scenarios.Names(), slices.Collect(maps.Keys(has)), "each scenario needs a promise that is broken once, in the table above")
	whole := ""
	if !testing.Short() {
		whole = build(t, nil)
	}
	dir := t.TempDir()
	mutants := sync.OnceValue(func() string {
		binary, err := mutant.Build(t.Context(), moduleRoot(t), dir, "./cmd/monkey")
		require.NoError(t, err)
		return binary
	})
	for _, key := range slices.Sorted(maps.Keys(broken)) {
		t.Run(key, func(t *testing.T) {
			t.Parallel()
			p := broken[key]
			if p.long && testing.Short() {
				t.Skip("takes minutes")
			}
			name := cmp.Or(p.scenario, key)
			if whole != "" && name == key {
				requireKept(t, whole, name)
			}
			want := cmp.Or(p.verdict, judge.Violation)
			var r *judge.Result
			if p.mutant == "" {
				r = runBinary(t, build(t, p.patch), name, p.withoutAudit())
			} else {
				r = runBinary(t, mutants(), name, p.withoutAudit(), mutant.Variable+"="+p.mutant)
			}
			t.Logf("%s: %s", p.broken, red(r))
			require.Equal(t, want, r.Verdict, p.broken)
			for _, key := range p.by {
				require.Equal(t, want, verdictOf(r, key), "%s, and %q does not see it", p.broken, key)
			}
		})
	}
}

// audits are the checks that see Drummer's mistakes from the inside, in any scenario.
var audits = []string{"awareness", "decisions", "event_log", "freshness", "promises", "soundness"}

// withoutAudit switches those off that need not see it: a run stops at what they find, and
// what the scenario itself promises would not be told.
func (p promise) withoutAudit() []string {
	var set []string
	for _, key := range audits {
		if !slices.Contains(p.by, key) {
			set = append(set, "--set", "checks."+key+"={enabled: false}")
		}
	}
	return set
}

// requireKept runs a scenario as it is: what it expects is there. One with a
// planted bug ends in a violation, any other passes.
func requireKept(t *testing.T, binary, name string) {
	t.Helper()
	s, err := scenarios.Load(name)
	require.NoError(t, err)
	want := judge.Pass
	if s.Clusters.Bug != nil {
		want = judge.Violation
	}
	r := runBinary(t, binary, name, nil)
	require.Equal(t, want, r.Verdict, "as it is: %s", red(r))
	for _, e := range r.Expect {
		require.Equal(t, judge.Pass, e.Verdict, "as it is: %s", e.Detail)
	}
}

// build builds the monkey with a patch, for exact runs, and touches nothing in the
// repository.
func build(t *testing.T, patch []edit) string {
	t.Helper()
	dir, root := t.TempDir(), moduleRoot(t)
	var edits []source.Edit
	for _, e := range patch {
		edits = append(edits, source.Edit{File: e.file, Old: e.old, New: e.new})
	}
	exactness, err := overlay.File(t.Context())
	require.NoError(t, err)
	file, err := source.Overlay(root, dir, edits, exactness)
	require.NoError(t, err, "the patch does not fit any more; write it anew, so that it breaks the same promise")
	binary := filepath.Join(dir, "monkey")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-ldflags=-s -w", "-overlay", file, "-o", binary, "./cmd/monkey")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "the patched program does not build: mend the patch\n%s", out)
	return binary
}

func moduleRoot(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("..")
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "go.mod"))
	return root
}

// runBinary runs a scenario by a program, whose exit code must be the verdict's. The run
// is exact: what comes of it is the same on every machine.
func runBinary(t *testing.T, binary, scenario string, set []string, env ...string) *judge.Result {
	t.Helper()
	args := append([]string{"run", scenario, "--seed", strconv.Itoa(promiseSeed), "--exact", "--json", "--out", t.TempDir()}, set...)
	cmd := exec.CommandContext(t.Context(), binary, args...)
	cmd.Env = append(os.Environ(), env...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if exit := (*exec.ExitError)(nil); !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	r := &judge.Result{}
	require.NoError(t, json.Unmarshal(out, r), "%s", &stderr)
	require.Equal(t, map[judge.Verdict]int{judge.Pass: 0, judge.Violation: 1, judge.Inconclusive: 2}[r.Verdict], cmd.ProcessState.ExitCode())
	return r
}

// verdictOf is the verdict of a check, or of an expectation, by its key. Where
// both have the key, it is the worse one.
func verdictOf(r *judge.Result, key string) judge.Verdict {
	worst := judge.Pass
	for _, c := range r.Checks {
		if c.Name == key {
			worst = invariant.Worst(worst, c.Verdict)
		}
	}
	for _, e := range r.Expect {
		if e.Name == key {
			worst = invariant.Worst(worst, e.Verdict)
		}
	}
	return worst
}

// red lists what is no pass, for people.
func red(r *judge.Result) string {
	var b strings.Builder
	for _, c := range r.Checks {
		if c.Verdict != judge.Pass {
			fmt.Fprintf(&b, "\n%s: %s: %s", c.Name, c.Verdict, c.Detail)
		}
	}
	for _, e := range r.Expect {
		if e.Verdict != judge.Pass {
			fmt.Fprintf(&b, "\n%s: %s: %s", e.Name, e.Verdict, e.Detail)
		}
	}
	return b.String()
}
