// SPDX-License-Identifier: Apache-2.0

package report

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	_ "github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

const second = int64(time.Second)

// stale is a run in which a read saw the state before the newest one, with more
// operations on its key that are no part of that.
func stale(t *testing.T, more int) Explained {
	t.Helper()
	s, err := scenarios.Parse("stale.yaml", []byte("name: stale\nclusters: {count: 4, bug: {kind: stale-read}}\nfaults: [{kind: kill, target: nodehost-2, at: [1s], for: 5s}]\n"))
	require.NoError(t, err)
	ops := []history.Op{
		{ID: 1, Client: 1, Key: "3/k1", Kind: history.Put, Value: history.String("old"), Writer: "w1", ObservedWriter: history.InitialWriter,
			Call: 10 * second, Return: 11 * second, Outcome: history.OK, Cluster: 3, Host: "nodehost-1:2"},
		{ID: 2, Client: 2, Key: "3/k1", Kind: history.Put, Value: history.String("new"), Writer: "w2", ObservedWriter: "w1",
			Call: 12 * second, Return: 13 * second, Outcome: history.OK, Cluster: 3},
		{ID: 3, Client: 3, Key: "3/k1", Kind: history.Get, Observed: history.String("old"), ObservedWriter: "w1",
			Call: 14 * second, Return: 15 * second, Outcome: history.OK, Cluster: 3, By: &history.Replica{Host: "nodehost-2:2", Node: 2, Applied: 7}},
	}
	core := ops[1:3:3]
	for i := range more {
		ops = append(ops, history.Op{ID: uint64(10 + i), Client: 9, Key: "3/k1", Kind: history.Get, Observed: history.String("old"), ObservedWriter: "w1",
			Call: 11*second + int64(i), Return: 11*second + int64(i) + 1, Outcome: history.OK, Cluster: 3})
	}
	ops = append(ops, history.Op{ID: 99, Client: 8, Key: "4/k1", Kind: history.Delete, Call: second, Return: 2 * second, Outcome: history.OK, Cluster: 4})
	at := func(seconds int, f timeline.Fact) timeline.Entry {
		return timeline.Entry{At: time.Duration(seconds) * time.Second, Fact: f}
	}
	effect := world.Effect{ProcessesEnded: 1}
	happened := timeline.Pair([]timeline.Entry{
		at(0, timeline.PhaseBegan{Phase: timeline.WarmUp}),
		at(1, timeline.Decided{Event: pb.EventHostJoined, NodeHost: "nhid-7", Text: `host nhid-7 joined at nodehost-2:1, region ""`}),
		at(1, timeline.Decided{Event: pb.EventHostJoined, NodeHost: "nhid-77", Text: `host nhid-77 joined at nodehost-4:1, region ""`}),
		at(2, timeline.Decided{Event: pb.EventOperationPlanned, Cluster: 3, Node: 4, NodeHost: "nhid-77", Text: "start node 4 of cluster 3 on nhid-77, for the one on nhid-7"}),
		at(3, timeline.InjectionBegan{ID: 1, Fault: "kill", Target: "nodehost", Hosts: []string{"nodehost-2"}, Effect: &effect}),
		at(5, timeline.LeaderAnnounced{Host: "nodehost-1", Cluster: 3, Node: 1, Leader: 1, Term: 4}),
		at(5, timeline.LeaderAnnounced{Host: "nodehost-9", Cluster: 4, Node: 9, Leader: 9, Term: 4}),
		at(6, timeline.LeaderAnnounced{Host: "nodehost-3", Cluster: 3, Node: 3, Leader: 1, Term: 4}),
		at(8, timeline.InjectionEnded{ID: 1, Effect: &effect}),
		at(9, timeline.Booted{Host: "nodehost-2"}),
		at(15, timeline.Violated{Cluster: 3, Text: "stale"}),
	})
	return Explained{
		Result: &judge.Result{Reproduce: "monkey run smallest.yaml --seed 3"}, Scenario: s, Timeline: happened, Ops: ops,
		Finding: judge.Check{Name: "linearizability", Verdict: judge.Violation, Detail: "a <stale> read", Cluster: 3, Key: "3/k1", Operations: core},
		Removed: []ShrunkRow{{"faults", "14", "1"}}, Origin: "monkey run big.yaml",
	}
}

func TestAnExplanationTellsWhatHappenedInOrder(t *testing.T) {
	b, err := Explanation(context.Background(), stale(t, 3))
	require.NoError(t, err)
	page := string(b)
	require.Regexp(t, `(?s)The clients begin\..*Drummer: start node 4 of cluster 3 on nodehost-4, for the one on nodehost-2\..*0:03\.000.*Kill of nodehost-2 begins\..*node 1 on nodehost-1 leads in term 4.*`+
		`Kill of nodehost-2 ends\..*1 process ended.*Nodehost-2 starts again\..*Client 1 wrote .*old.*Client 9 read .*`+
		`class="core".*Client 2 wrote .*new.*class="core".*0:14\.000.*Client 3 read .*old.*answered by node 2 on nodehost-2:2, at applied index 7.*`+
		`From here on, no order explains`, page)
	require.Regexp(t, `(?s)<dt>saw<dd>.*old.*, which client 1 left there.*<dt>expected<dd>.*new.*, which client 2 left there`, page)
	require.Regexp(t, `(?s)What was removed.*faults.*14.*1.*monkey run big\.yaml`, page)
	require.Contains(t, page, "A get is answered with the state before the newest one.")
	require.Contains(t, page, "a &lt;stale&gt; read")
	for _, other := range []string{"nodehost-9", "follows node", "4/k1", "<script", "https://"} {
		require.NotContains(t, page, other, "of another cluster, or no part of a page that stands alone")
	}
	require.Equal(t, 1, strings.Count(page, "a &lt;stale&gt; read"))
}

func TestOfManyOperationsThoseOfTheViolationAreTold(t *testing.T) {
	b, err := Explanation(context.Background(), stale(t, 1000))
	require.NoError(t, err)
	require.Contains(t, string(b), "1,001 more operations on this key")
	require.Equal(t, 2, strings.Count(string(b), `<li class="core"><time>`))
	require.Zero(t, strings.Count(string(b), `<li class="operation"><time>`))
}

// TestAViolationOnNoKeyIsExplainedToo: there is no operation to show then.
func TestAViolationOnNoKeyIsExplainedToo(t *testing.T) {
	x := stale(t, 0)
	x.Finding = judge.Check{Name: "divergence", Verdict: judge.Violation, Detail: "cluster 3: nodes 1 and 2 differ", Cluster: 3}
	x.Removed, x.Origin = nil, ""
	b, err := Explanation(context.Background(), x)
	require.NoError(t, err)
	require.Contains(t, string(b), "nodes 1 and 2 differ")
	for _, absent := range []string{"expected<dd>", "The operations on the key", "What was removed", "Client 1"} {
		require.NotContains(t, string(b), absent)
	}
}

// TestAWriteSaysWhatItReplaced: a lost update shows in two writes that replaced
// the same one.
func TestAWriteSaysWhatItReplaced(t *testing.T) {
	x := stale(t, 0)
	x.Ops[2].Kind, x.Ops[2].Value, x.Ops[2].Writer, x.Ops[2].Observed = history.Put, history.String("late"), "w3", history.Value{}
	x.Finding.Operations = x.Ops[1:3]
	s := seen(context.Background(), x.Finding, x.Ops)
	require.Equal(t, "replaced", s.Verb)
	require.Contains(t, s.Saw, "which client 1 left there")
	require.Len(t, s.Expected, 1)
	require.Contains(t, s.Expected[0], "which client 2 left there")
}

// TestWhatIsExpectedDependsOnWhatCameBefore: of concurrent writes either may be
// the last one.
func TestWhatIsExpectedDependsOnWhatCameBefore(t *testing.T) {
	x := stale(t, 0)
	x.Ops[0].Return, x.Ops[0].ObservedWriter = x.Ops[1].Return, ""
	x.Ops[1].ObservedWriter = ""
	x.Ops[2].Observed, x.Ops[2].ObservedWriter = history.Absent, history.InitialWriter
	x.Finding.Operations = x.Ops[:3]
	s := seen(context.Background(), x.Finding, x.Ops)
	require.Equal(t, "nothing, as it was before the first write", s.Saw)
	require.Equal(t, []string{
		fmt.Sprintf("%s, which client 1 left there when it wrote %[1]s to 3/k1", history.String("old")),
		fmt.Sprintf("%s, which client 2 left there when it wrote %[1]s to 3/k1", history.String("new")),
	}, s.Expected)
}
