// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

const second = int64(1e9)

func str(s string) *string { return &s }

// healthy returns the facts of a run in which all is well: node 1 of cluster 7
// was lost with host h1 and replaced by node 4 on h4.
func healthy() (*Facts, *limits) {
	voters := func() map[uint64]string { return map[uint64]string{2: "h2:1", 3: "h3:1", 4: "h4:1"} }
	f := &Facts{
		Clusters: []Cluster{{7, 3}},
		Hosts: []Host{
			{"h1", false, nil, nil, "h1:1", nil}, {"h2", true, []Node{{7, 2}}, []Node{{7, 2}}, "h2:1", nil}, {"h3", true, []Node{{7, 3}}, []Node{{7, 3}}, "h3:1", nil}, {"h4", true, []Node{{7, 4}}, []Node{{7, 4}}, "h4:1", nil},
		},
		Picture: []PictureNode{{7, 2, "h2", true, true}, {7, 3, "h3", true, true}, {7, 4, "h4", true, true}},
		Memberships: []Membership{
			{Cluster: 7, Node: 2, Version: 9, Voters: voters(), Removed: []uint64{1}},
			{Cluster: 7, Node: 3, Version: 9, Voters: voters(), Removed: []uint64{1}},
			{Cluster: 7, Node: 4, Version: 9, Voters: voters(), Removed: []uint64{1}},
			{Cluster: 7, Node: 3, Version: 4, Voters: map[uint64]string{1: "h1:1", 2: "h2:1", 3: "h3:1"}},
		},
		Digests: []Digest{
			{Cluster: 7, Node: 2, Index: 50, Sum: "bb"}, {Cluster: 7, Node: 3, Index: 50, Sum: "bb"}, {Cluster: 7, Node: 4, Index: 50, Sum: "bb"},
		},
		DrummerDB: []Digest{
			{Node: 1, Host: "d1", Index: 70, Sum: "dd"}, {Node: 2, Host: "d2", Index: 70, Sum: "dd"}, {Node: 3, Host: "d3", Index: 70, Sum: "dd"},
		},
		Servers: 3,
		Requests: &Requests{
			Asked:  []Request{{"start-node", 7, 1, "nhid-1", 2}, {"add-observer", 7, 4, "nhid-2", 1}, {"start-node", 7, 4, "nhid-4", 1}},
			Adding: "add-observer", Turns: map[string]int{"nhid-1": 2, "nhid-2": 1}, Wanted: map[uint64]int{7: 1},
		},
		Divergences: []Divergence{}, Compared: 99,
		RaftSafety: &RaftSafety{Votes: 4, Leaders: 2, Commits: 50, Breaches: []Breach{}},
		Audit:      &Audit{Looks: 60, States: 200, Operations: 9, Events: 40, Answers: 20, Breaches: []DrummerBreach{}},
		Leaders:    []Leader{{7, 1, 1, 1}, {7, 2, 2, 2}, {7, 2, 2, 3}},
		Beliefs:    []Belief{{7, 1, 2, 1, 2}, {7, 2, 3, 2, 4}, {7, 3, 1, 3, 5}},
		Finals:     []Final{{Cluster: 7, Key: "7/k", Value: str("b"), At: 100 * second}, {Cluster: 7, Key: "7/l", Value: str("x;y;"), At: 100 * second}},
		Probes:     []Probe{{Cluster: 7, Kind: "write", OK: true, Error: "", Took: second}, {Cluster: 7, Kind: "read", OK: true, Error: "", Took: second}},
		Repairs:    []Repair{{Cluster: 7, Node: 1, LostAt: 10 * second, RepairedAt: 30 * second, By: 4}},
		Stalls:     []Stall{{Cluster: 7, From: 10 * second, To: 12 * second}, {Cluster: 7, From: 20 * second, To: 90 * second, Excused: true}},
		Faults:     []Fault{{Kind: "kill", Target: "h1", From: 10 * second, To: 20 * second, TookEffect: true}},
		Wanted:     []WantedFault{{Kind: "kill", Target: "h1", AtLeast: 1}},
		Outages:    []Outage{},
		Process:    &Process{},
		Launch:     &Launch{Clusters: 1, Full: 1, Took: second},
		Settle:     &Settle{Whole: true, Took: second},
		Placed:     true,
		Placement:  &Placement{Took: second},
		Actions:    []Action{{What: "drain of h1", At: 5 * second}}, WantedActions: 1,
		Invariants: &Brought{Broken: []Broken{}, Replicas: 3, Answers: 32},
		Asked:      40, Healed: true,
	}
	var ops []history.Op
	for i := range int64(30) {
		ops = append(ops, history.Op{Cluster: 7, Key: "7/m", Kind: history.Get, Observed: history.Absent, Call: i * second, Return: i*second + 1, Outcome: history.OK,
			By: &history.Replica{Host: "h2", Applied: 2}})
	}
	put := func(key string, kind history.Kind, v string, call, ret int64, outcome history.Outcome) {
		ops = append(ops, history.Op{Client: 3, Cluster: 7, Key: key, Kind: kind, Value: history.String(v), Call: call, Return: ret, Outcome: outcome})
	}
	put("7/k", history.Put, "a", 1*second, 2*second, history.OK)
	put("7/k", history.Put, "b", 3*second, 4*second, history.OK)
	put("7/k", history.Put, "c", 5*second, 0, history.Unknown)
	put("7/l", history.Append, "x;", 1*second, 2*second, history.OK)
	put("7/l", history.Append, "y;", 3*second, 4*second, history.OK)
	ops = append(ops, history.Op{Client: 4, Cluster: 7, Key: "7/k", Kind: history.Stale, Observed: history.String("a"), Call: 20 * second, Return: 21 * second, Outcome: history.OK})
	f.Ops, f.StaleReads = ops, true
	return f, &limits{
		repair:          repairSettings{Max: time.Minute},
		stall:           writeStallSettings{Max: 5 * time.Second},
		evidence:        evidenceSettings{MinOperations: 20, MinAround: 5, MaxMissed: 5, MaxSkipped: 25, MaxIneffective: 25, MaxLate: time.Minute},
		linearizability: LinearizabilitySettings{Timeout: time.Minute},
	}
}

// limits are the settings that tests change. Any other check has its defaults.
type limits struct {
	repair          repairSettings
	stall           writeStallSettings
	evidence        evidenceSettings
	beliefs         beliefSettings
	linearizability LinearizabilitySettings
}

// of returns the settings of a check.
func (l *limits) of(c Check) (any, bool) {
	if c.Settings == nil {
		return nil, true
	}
	for _, s := range []any{&l.repair, &l.stall, &l.evidence, &l.beliefs, &l.linearizability} {
		if reflect.TypeOf(s).Elem() == reflect.TypeOf(c.Settings) {
			return s, true
		}
	}
	return withDefaults(c.Settings), true
}

// withDefaults returns a pointer to settings as their tags say, as a scenario that
// says nothing of the check has them.
func withDefaults(zero any) any {
	settings := reflect.New(reflect.TypeOf(zero))
	for i, field := range reflect.VisibleFields(reflect.TypeOf(zero)) {
		text, to := field.Tag.Get("default"), settings.Elem().Field(i)
		if text == "" {
			continue
		}
		value, err := any(text), error(nil)
		switch to.Interface().(type) {
		case time.Duration:
			value, err = time.ParseDuration(text)
		case string:
		default:
			parsed := reflect.New(to.Type())
			_, err = fmt.Sscan(text, parsed.Interface())
			value = parsed.Elem().Interface()
		}
		if err != nil {
			panic(fmt.Sprintf("the default %q of %s: %v", text, field.Name, err))
		}
		to.Set(reflect.ValueOf(value))
	}
	return settings.Interface()
}

func TestSettingsHaveTheDefaultsOfTheirTags(t *testing.T) {
	type settings struct {
		Share   int           `key:"share" default:"25"`
		Late    time.Duration `key:"late" default:"10s"`
		Strict  bool          `key:"strict" default:"true"`
		Factor  float64       `key:"factor" default:"1.5"`
		Nothing time.Duration `key:"nothing" optional:"true"`
		Word    string        `key:"word" default:"all"`
	}
	require.Equal(t, &settings{Share: 25, Late: 10 * time.Second, Strict: true, Factor: 1.5, Word: "all"}, withDefaults(settings{}))
}

// judged returns the findings on facts.
func judged(t *testing.T, f *Facts, l *limits) []Finding { return Judge(t.Context(), f, l.of) }

// findingsOf returns the findings of one check, which must be there.
func findingsOf(t *testing.T, key string, f *Facts, l *limits) []Finding {
	t.Helper()
	all := slices.DeleteFunc(judged(t, f, l), func(x Finding) bool { return x.Check != key })
	require.NotEmpty(t, all, "the check %s was not made", key)
	return all
}

func TestAllIsWell(t *testing.T) {
	f, l := healthy()
	all := judged(t, f, l)
	require.Len(t, all, len(Checks()), "every check applies")
	for _, finding := range all {
		require.Equal(t, Pass, finding.Verdict, "%+v", finding)
		require.NotEmpty(t, finding.Detail)
	}
}

// Nothing is no pass: neither facts that were not recorded, nor lists that were
// and hold nothing. The run has an end, clusters, wanted faults and actions.
func TestNothingRecordedNeverPasses(t *testing.T) {
	_, l := healthy()
	nothing := Facts{Healed: true, Placed: true, StaleReads: true, Clusters: []Cluster{{1, 3}}, Wanted: []WantedFault{{AtLeast: 1}}, WantedActions: 1, Invariants: &Brought{}}
	empty := nothing
	lists := reflect.ValueOf(&empty).Elem()
	for i := range lists.NumField() {
		if list := lists.Field(i); list.Kind() == reflect.Slice && list.IsNil() {
			list.Set(reflect.MakeSlice(list.Type(), 0, 0))
		}
	}
	for name, c := range map[string]struct {
		facts    Facts
		verdicts []Verdict
		none     []string // checks that have nothing to judge
	}{
		"not recorded": {nothing, []Verdict{Inconclusive}, nil},
		"empty":        {empty, []Verdict{Inconclusive, Violation}, []string{"repair"}},
	} {
		t.Run(name, func(t *testing.T) {
			made := map[string]bool{}
			for _, finding := range judged(t, &c.facts, l) {
				made[finding.Check] = true
				require.Contains(t, c.verdicts, finding.Verdict, "%+v", finding)
				require.NotEmpty(t, finding.Detail)
			}
			for _, check := range Checks() {
				require.Equal(t, !slices.Contains(c.none, check.Key), made[check.Key], check.Key)
			}
		})
	}
}

// Clients of one's own may not say who answers: nothing is compared then.
func TestAnswersOfWhoeverAreNotCompared(t *testing.T) {
	f, l := healthy()
	for i := range f.Ops {
		f.Ops[i].By = nil
	}
	for _, finding := range judged(t, f, l) {
		require.NotEqual(t, "recency", finding.Check)
	}
}

// Checks of what several members do make no finding about clusters of one.
func TestOneReplicaIsNotCompared(t *testing.T) {
	f, l := healthy()
	f.Clusters[0].Size, f.Compared, f.Beliefs, f.Repairs = 1, 0, []Belief{}, []Repair{}
	for _, finding := range judged(t, f, l) {
		require.NotContains(t, []string{"beliefs", "digests", "divergence", "repair"}, finding.Check)
	}
}

func TestChecksThatDoNotApplyMakeNoFinding(t *testing.T) {
	f, l := healthy()
	require.Contains(t, keysThat(func(c Check) bool { return c.AfterHealing }), "answers")
	require.Contains(t, keysThat(func(c Check) bool { return c.UnlessStopped }), "evidence")
	made := func() (keys []string) {
		for _, x := range judged(t, f, l) {
			keys = append(keys, x.Check)
		}
		return keys
	}
	f.Healed = false
	require.Equal(t, keysThat(func(c Check) bool { return !c.AfterHealing }), made(), "the run was killed")
	f.Stopped = true
	require.Equal(t, keysThat(func(c Check) bool { return !c.AfterHealing && !c.UnlessStopped }), made(), "it stopped at a violation")
}

// keysThat lists the checks of which something holds.
func keysThat(holds func(Check) bool) (keys []string) {
	for _, c := range Checks() {
		if holds(c) {
			keys = append(keys, c.Key)
		}
	}
	return keys
}

// A pass of a check that has no limit says only what was measured.
func TestWithoutALimitItIsOnlyMeasured(t *testing.T) {
	for name, c := range map[string]struct {
		set      func(f *Facts, l *limits)
		measured []string
	}{
		"limits":    {func(_ *Facts, l *limits) { l.beliefs.Strict = true }, nil},
		"no limits": {func(_ *Facts, l *limits) { l.stall.Max = 0 }, []string{"beliefs", "write_stall"}},
		"unclear":   {func(f *Facts, l *limits) { l.stall.Max, f.Stalls, f.Beliefs = 0, nil, nil }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			f, l := healthy()
			c.set(f, l)
			var measured []string
			for _, finding := range judged(t, f, l) {
				if finding.Measured {
					measured = append(measured, finding.Check)
				}
			}
			require.Equal(t, c.measured, measured)
		})
	}
}

// What is in the table is complete, and can be told apart.
func TestEveryCheckIsDescribed(t *testing.T) {
	names := map[string]bool{}
	for _, c := range Checks() {
		require.Regexp(t, `^[a-z]+(_[a-z]+)*$`, c.Key)
		require.NotEmpty(t, c.Name, c.Key)
		require.Regexp(t, `\.$`, c.Doc, c.Key)
		require.False(t, names[c.Name], c.Name)
		names[c.Name] = true
	}
}

func TestFactsSurviveJSON(t *testing.T) {
	f, l := healthy()
	f.Repairs = []Repair{}
	b, err := json.Marshal(f)
	require.NoError(t, err)
	again := new(Facts)
	require.NoError(t, json.Unmarshal(b, again))
	again.Ops = f.Ops // they are in a file of their own
	require.Equal(t, f, again)
	require.Equal(t, judged(t, f, l), judged(t, again, l))
}

func TestEachCheckFindsWhatItIsFor(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(f *Facts, l *limits)
		check   string
		verdict Verdict
		detail  string
	}{
		"states differ":                   {func(f *Facts, _ *limits) { f.Digests[1].Sum = "cc" }, "digests", Violation, "cluster 7 at index 50: nodes 2 () and 3 () differ, digests bb and cc"},
		"a leftover":                      {func(f *Facts, _ *limits) { f.Hosts[1].Stored = append(f.Hosts[1].Stored, Node{7, 1}) }, "leftovers", Violation, "the disk of host h2 has a log of node 1 of cluster 7, which is no member"},
		"a leftover of a deleted cluster": {func(f *Facts, _ *limits) { f.Hosts[1].Stored = append(f.Hosts[1].Stored, Node{8, 1}) }, "leftovers", Violation, "the disk of host h2 has a log of node 1 of cluster 8, which was deleted"},
		"a leftover, or a move": {func(f *Facts, _ *limits) {
			f.Hosts[1].Stored, f.Changing = append(f.Hosts[1].Stored, Node{7, 1}), []uint64{7}
		}, "leftovers", Inconclusive, "cluster 7 changed while"},
		"a leftover, or an observer": {func(f *Facts, _ *limits) {
			f.Hosts[1].Stored = append(f.Hosts[1].Stored, Node{7, 1})
			for i := range f.Memberships {
				f.Memberships[i].VotersOnly = true
			}
		}, "leftovers", Inconclusive, "only the voters of cluster 7 were recorded, and node 1, of which host h2 has a log"},
		"a leftover of who knows what": {func(f *Facts, _ *limits) {
			f.Clusters, f.Hosts[1].Stored = append(f.Clusters, Cluster{8, 3}), append(f.Hosts[1].Stored, Node{8, 1})
		}, "leftovers", Inconclusive, "no membership of cluster 8 was recorded, of whose node 1 host h2 has a log"},
		"a disk not looked into": {func(f *Facts, _ *limits) { f.Hosts[1].Stored = nil }, "leftovers", Inconclusive, "what is on the disk of host h2 was not recorded"},
		"disks without logs": {func(f *Facts, _ *limits) {
			for i := range f.Hosts {
				f.Hosts[i].Stored = []Node{}
			}
		}, "leftovers", Inconclusive, "no live host was seen to have a log"},
		"a request without end": {func(f *Facts, _ *limits) { f.Requests.Asked[0].Times = 13 }, "requests", Violation,
			"Drummer asked nhid-1 13 times for start-node of node 1 of cluster 7; at most 12 times were to be expected, as that NodeHost came or went 2 times"},
		"a request for each turn": {func(f *Facts, _ *limits) { f.Requests.Asked[0].Times = 12 }, "requests", Pass, "14 requests for 3 times that a NodeHost came or went, none of them more than 12 times"},
		"members without end": {func(f *Facts, _ *limits) {
			for node := range uint64(14) { // there is one already
				f.Requests.Asked = append(f.Requests.Asked, Request{"add-observer", 7, node + 5, "nhid-2", 1})
			}
		}, "requests", Violation, "Drummer added 15 members to cluster 7, one after the other; at most 14 were to be expected, as NodeHosts came or went 3 times and an operator asked for 1"},
		"nothing asked for": {func(f *Facts, _ *limits) { f.Requests.Asked = nil }, "requests", Inconclusive, "Drummer was not seen to ask for anything"},
		"servers differ":    {func(f *Facts, _ *limits) { f.DrummerDB[2].Sum = "ee" }, "drummerdb", Violation, "DrummerDB at index 70: nodes 1 (d1) and 3 (d3) differ, digests dd and ee"},
		"servers differed": {func(f *Facts, _ *limits) {
			f.DrummerDB = append(f.DrummerDB, Digest{Node: 1, Host: "d1", Index: 60, Sum: "x"}, Digest{Node: 2, Host: "d2", Index: 60, Sum: "y"})
		}, "drummerdb", Violation, "DrummerDB at index 60: nodes 1 (d1) and 2 (d2) differ, digests x and y"},
		"a server behind":       {func(f *Facts, _ *limits) { f.DrummerDB[0].Index = 69 }, "drummerdb", Inconclusive, "only 2 of 3 Drummer servers showed what they held at one index, 70"},
		"no server looked into": {func(f *Facts, _ *limits) { f.DrummerDB = nil }, "drummerdb", Inconclusive, "the states of DrummerDB's servers: not recorded"},
		"a divergence": {func(f *Facts, _ *limits) {
			f.Divergences = []Divergence{{Cluster: 7, Index: 45, Node: 2, Sum: "x", Other: 3, OtherSum: "y", Agreed: 40, Entry: "put k=b", At: second}}
		}, "divergence", Violation, "cluster 7: nodes 2 and 3 differ at index 45, digests x and y, at 1 s; they agreed at index 40; the entry there: put k=b"},
		"nothing compared":   {func(f *Facts, _ *limits) { f.Compared = 0 }, "divergence", Inconclusive, "no update of a replica was compared"},
		"nobody follows":     {func(f *Facts, _ *limits) { f.Beliefs = []Belief{} }, "beliefs", Inconclusive, "no node announced whom it follows"},
		"one replica, twice": {func(f *Facts, _ *limits) { f.Digests[1].Node, f.Digests[2].Node = 2, 2 }, "digests", Inconclusive, "only 1 of 3 replicas"},
		"replicas in pairs": {func(f *Facts, _ *limits) {
			f.Clusters[0].Size = 4
			f.Digests[2].Index = 90
			f.Digests = append(f.Digests, Digest{Cluster: 7, Node: 5, Index: 90, Sum: "bb"})
		}, "digests", Inconclusive, "only 2 of 4 replicas gave a digest at one index, 90"},
		"too few replicas":       {func(f *Facts, _ *limits) { f.Clusters[0].Size = 5 }, "digests", Inconclusive, "only 3 of 5 replicas"},
		"digests of what":        {func(f *Facts, _ *limits) { f.Clusters = nil }, "digests", Inconclusive, "which clusters there should be: not recorded"},
		"a replica behind":       {func(f *Facts, _ *limits) { f.Digests[2].Index = 49 }, "digests", Inconclusive, "only 2 of 3 replicas"},
		"no final digest":        {func(f *Facts, _ *limits) { f.Digests = []Digest{} }, "digests", Inconclusive, "gave no digest"},
		"no leader of a cluster": {func(f *Facts, _ *limits) { f.Clusters = append(f.Clusters, Cluster{8, 3}) }, "leaders", Inconclusive, "no leader of cluster 8"},
		"two votes": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: TwoVotes, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3, 4}, At: second}}
		}, "votes", Violation, "cluster 7: node 2 voted for node 3 and for node 4 in term 5, the second time at 1 s"},
		"data left": {func(f *Facts, _ *limits) { f.Hosts[1].Data = []Node{{7, 9}} }, "leftovers", Violation, "has data of node 9 of cluster 7, which is no member"},
		"two leaders of two lives": {func(f *Facts, _ *limits) {
			f.Leaders, f.Begun = append(f.Leaders, Leader{7, 2, 3, 50 * second}), map[uint64][]int64{7: {40 * second}}
		}, "leaders", Pass, "3 terms"},
		"a breach of soundness": {func(f *Facts, _ *limits) {
			f.Audit.Breaches = []DrummerBreach{{Check: "soundness", At: 3 * second, Cluster: 7, Text: "what cluster 7 saw"}}
		}, "soundness", Violation, "what cluster 7 saw (seen at 3 s)"},
		"nothing for soundness": {func(f *Facts, _ *limits) { f.Audit.States = 0 }, "soundness", Inconclusive, "no change of DrummerDB"},
		"a breach of event_log": {func(f *Facts, _ *limits) {
			f.Audit.Breaches = []DrummerBreach{{Check: "event_log", At: 3 * second, Cluster: 7, Text: "what cluster 7 saw"}}
		}, "event_log", Violation, "what cluster 7 saw (seen at 3 s)"},
		"nothing for event_log": {func(f *Facts, _ *limits) { f.Audit.Events = 0 }, "event_log", Inconclusive, "no event"},
		"a breach of promises": {func(f *Facts, _ *limits) {
			f.Audit.Breaches = []DrummerBreach{{Check: "promises", At: 3 * second, Cluster: 7, Text: "what cluster 7 saw"}}
		}, "promises", Violation, "what cluster 7 saw (seen at 3 s)"},
		"nothing for promises": {func(f *Facts, _ *limits) { f.Audit.Operations = 0 }, "promises", Inconclusive, "began no operation"},
		"a breach of awareness": {func(f *Facts, _ *limits) {
			f.Audit.Breaches = []DrummerBreach{{Check: "awareness", At: 3 * second, Cluster: 7, Text: "what cluster 7 saw"}}
		}, "awareness", Violation, "what cluster 7 saw (seen at 3 s)"},
		"nothing for awareness": {func(f *Facts, _ *limits) { f.Audit.Looks = 0 }, "awareness", Inconclusive, "nobody looked"},
		"a breach of decisions": {func(f *Facts, _ *limits) {
			f.Audit.Breaches = []DrummerBreach{{Check: "decisions", At: 3 * second, Cluster: 7, Text: "what cluster 7 saw"}}
		}, "decisions", Violation, "what cluster 7 saw (seen at 3 s)"},
		"nothing for decisions": {func(f *Facts, _ *limits) { f.Audit.Looks = 0 }, "decisions", Inconclusive, "nobody looked"},
		"a breach of freshness": {func(f *Facts, _ *limits) {
			f.Audit.Breaches = []DrummerBreach{{Check: "freshness", At: 3 * second, Cluster: 7, Text: "what cluster 7 saw"}}
		}, "freshness", Violation, "what cluster 7 saw (seen at 3 s)"},
		"nothing for freshness": {func(f *Facts, _ *limits) { f.Audit.Answers = 0 }, "freshness", Inconclusive, "no Drummer server answered"},
		"a vote that is gone": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: VoteChanged, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3, 0}, At: second}}
		}, "votes", Violation, "cluster 7: node 2, which had saved a vote for node 3 in term 5, has no vote in that term; at 1 s"},
		"a vote that is another one": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: VoteChanged, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3, 4}, At: second}}
		}, "votes", Violation, "has one for node 4 in that term"},
		"a vote for an older log": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: OlderLogVote, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3}, Index: 40, EntryTerm: 3, LastIndex: 39, LastTerm: 4, At: second}}
		}, "votes", Violation, "cluster 7: node 2, whose log ends with index 39 of term 4, voted in term 5 for node 3, whose log ends with index 40 of term 3"},
		"a term that goes back": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: WentBack, Cluster: 7, Node: 2, Term: 4, LastTerm: 5, Index: 40, LastIndex: 40, At: second}}
		}, "saved", Violation, "cluster 7: node 2 saved term 4 and the commitment of index 40 after term 5 and index 40"},
		"an unsaved term": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: SaidUnsaved, Cluster: 7, Node: 2, Term: 5, LastTerm: 4, At: second}}
		}, "saved", Violation, "node 2 said in term 5 that it is in that term, while term 4 was the last that it had saved"},
		"entries that differ": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: EntriesDiffer, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 4, At: second}}
		}, "matching", Violation, "cluster 7: node 2, in term 5, saved an entry of index 40 and term 4 that differs from the one in another log"},
		"an answer that is wrong": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: FalseMatch, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3}, Index: 40, EntryTerm: 3, OtherTerm: 4, At: second}}
		}, "matching", Violation, "cluster 7: node 2 answered node 3, leader of term 5, that it has its log up to index 40, where it has an entry of term 3 and the leader one of term 4"},
		"an answer that says too much": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: UnverifiedAnswer, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3}, Index: 40, LastIndex: 38, At: second}}
		}, "matching", Violation, "cluster 7: node 2 answered node 3, leader of term 5, that it has its log up to index 40, of which it can know up to index 38 only"},
		"an entry of the past": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: FromDeposed, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 3, LastTerm: 4, At: second}}
		}, "matching", Violation, "cluster 7: node 2, which had saved term 5, took over the entry of index 40 and term 3, which only a leader of term 4 sent it"},
		"a commit that nobody told": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: UnmatchedCommit, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 3, LastIndex: 38, At: second}}
		}, "commits", Violation, "cluster 7: node 2, in term 5, takes its log for committed up to index 40, which has an entry of term 3, though a leader told it so up to index 38 only"},
		"a heartbeat that says too much": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: UnmatchedHeartbeat, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3}, Index: 40, LastIndex: 38, At: second}}
		}, "commits", Violation, "cluster 7: node 2, leader of term 5, told node 3 in a heartbeat that its log is committed up to index 40, though that node had answered in this term that it has the leader's log up to index 38"},
		"a commit without answers": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: UnansweredCommit, Cluster: 7, Node: 2, Term: 5, Index: 40, Others: []uint64{2}, Voters: []uint64{1, 2, 3}, At: second}}
		}, "quorums", Violation, "the entry of index 40 for committed, which nodes [2] told it in that term to have, no majority of the voters [1 2 3]"},
		"a read that nobody answered": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: UnansweredRead, Cluster: 7, Node: 2, Term: 5, Index: 40, At: second}}
		}, "readindex", Violation, "cluster 7: node 2, in term 5, served a linearizable read at index 40 that no leader had answered"},
		"two changes": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: TwoChanges, Cluster: 7, Node: 2, Term: 5, Index: 40, LastIndex: 38, At: second}}
		}, "changes", Violation, "cluster 7: node 2, leader of term 5, added a membership change at index 40 before the one at index 38 was committed"},
		"an early candidacy": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: EarlyCandidacy, Cluster: 7, Node: 2, Term: 5, Index: 40, LastIndex: 38, At: second}}
		}, "changes", Violation, "cluster 7: node 2 called an election in term 5 before it had applied the membership change at index 40"},
		"a removed leader": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: RemovedLeads, Cluster: 7, Node: 2, Term: 5, Index: 40, Voters: []uint64{1, 3}, At: second}}
		}, "changes", Violation, "cluster 7: node 2 sends heartbeats as leader of term 5 though it has applied the change at index 40, since which the voters are [1 3]"},
		"a promotion that is early": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: PromotedBehind, Cluster: 7, Node: 4, Index: 40, LastIndex: 20, LastTerm: 38, At: second}}
		}, "changes", Violation, "cluster 7: node 4 was made a voter at index 40 with a log that ends at index 20, before it had caught up with its own addition at index 38"},
		"a leader alone": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: LeadsAlone, Cluster: 7, Node: 2, Term: 5, Index: 30, Others: []uint64{2}, Voters: []uint64{1, 2, 3}, At: second}}
		}, "stepping_down", Violation, "cluster 7: node 2 goes on to lead in term 5 though in its last 30 rounds of heartbeats it heard of nodes [2] only, no majority of the voters [1 2 3]"},
		"an old snapshot": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: OldSnapshot, Cluster: 7, Node: 2, Term: 5, Index: 38, LastIndex: 40, At: second}}
		}, "snapshots", Violation, "cluster 7: node 2, in term 5, took over a snapshot of index 38, though it knew its log to be committed up to index 40"},
		"a snapshot of another term": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: SnapshotDiffers, Cluster: 7, Node: 2, Index: 38, EntryTerm: 3, LastTerm: 4, At: second}}
		}, "snapshots", Violation, "cluster 7: the snapshot of node 2 at index 38 is of term 3, the entry there of term 4"},
		"a snapshot of other members": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: SnapshotDiffers, Cluster: 7, Node: 2, Index: 38, EntryTerm: 3, LastIndex: 30, Others: []uint64{1, 2}, Voters: []uint64{1, 2, 3}, At: second}}
		}, "snapshots", Violation, "cluster 7: the snapshot of node 2 at index 38 has the voters [1 2] and other members; by the changes in the log up to index 30 the voters are [1 2 3]"},
		"a log that is too short": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: CompactedTooFar, Cluster: 7, Node: 2, Term: 5, Index: 40, LastIndex: 38, At: second}}
		}, "snapshots", Violation, "cluster 7: node 2 dropped its log up to index 40, its newest snapshot is of index 38"},
		"no votes": {func(f *Facts, _ *limits) { f.RaftSafety.Votes = 0 }, "votes", Inconclusive, "no vote was seen"},
		"an incomplete leader": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: IncompleteLeader, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 4, Others: []uint64{3}, LastIndex: 39, LastTerm: 4, At: second}}
		}, "completeness", Violation, "cluster 7: node 2 leads in term 5 without the entry of index 40 and term 4, which leader 3 had committed"},
		"no candidacies": {func(f *Facts, _ *limits) { f.RaftSafety.Leaders = 0 }, "completeness", Inconclusive, "no election"},
		"two entries committed at an index": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: TwoCommits, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 5, LastTerm: 4, At: second}}
		}, "commits", Violation, "cluster 7: node 2, in term 5, has an entry of term 5 committed at index 40, where one of term 4 had been"},
		"a commit of an earlier term": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: EarlierTermCommit, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 4, At: second}}
		}, "commits", Violation, "cluster 7: node 2, leader of term 5, committed the entry of term 4 at index 40 before one of its own term"},
		"a leader of a minority": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: MinorityLeader, Cluster: 7, Node: 2, Term: 5, Others: []uint64{2}, Voters: []uint64{1, 2, 3}, At: second}}
		}, "quorums", Violation, "cluster 7: node 2 leads in term 5 with the votes of nodes [2], which are no majority of the voters [1 2 3]"},
		"a commit of a minority": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: MinorityCommit, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 4, Others: []uint64{2}, Voters: []uint64{1, 2, 3}, At: second}}
		}, "quorums", Violation, "the entry of index 40 and term 4 for committed, which nodes [2] have saved, no majority of the voters [1 2 3]"},
		"a read of a minority": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: MinorityRead, Cluster: 7, Node: 2, Term: 5, Others: []uint64{2}, Voters: []uint64{1, 2, 3}, At: second}}
		}, "quorums", Violation, "a linearizable read that nodes [2] confirmed, no majority of the voters [1 2 3]"},
		"nothing that needs a majority": {func(f *Facts, _ *limits) { f.RaftSafety.Leaders, f.RaftSafety.Commits = 0, 0 }, "quorums", Inconclusive, "neither"},
		"an index that is too old": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: StaleRead, Cluster: 7, Node: 2, Term: 5, Index: 39, LastIndex: 40, Others: []uint64{3}, At: second}}
		}, "readindex", Violation, "cluster 7: node 2, leader of term 5, let node 3 read at index 39, though the log had been committed up to index 40"},
		"a read that is too early": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: EarlyRead, Cluster: 7, Node: 2, Term: 5, Index: 40, LastTerm: 4, At: second}}
		}, "readindex", Violation, "cluster 7: node 2 served a linearizable read as leader of term 5 before an entry of that term was committed; the newest one, up to index 40, is of term 4"},
		"logs that differ": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: LogsDiffer, Cluster: 7, Node: 2, Term: 5, Index: 40, EntryTerm: 5, LastTerm: 3, OtherTerm: 4, At: second}}
		}, "matching", Violation, "cluster 7: node 2, in term 5, saved the entry of index 40 and term 5 behind one of term 3, where another log has one of term 4"},
		"an unsaved vote": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: SaidUnsaved, Cluster: 7, Node: 2, Term: 5, Others: []uint64{3}, At: second}}
		}, "saved", Violation, "cluster 7: node 2 said in term 5 that it votes for node 3, which it had not saved"},
		"an unsaved entry": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: SaidUnsaved, Cluster: 7, Node: 2, Term: 5, Index: 40, LastIndex: 39, At: second}}
		}, "saved", Violation, "it has the log up to index 40, of which 39 was the last that it had saved"},
		"a forgotten vote": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: Forgotten, Cluster: 7, Node: 2, Host: "h2", Term: 5, LastTerm: 5, Index: 40, LastIndex: 40, Others: []uint64{0, 3}, At: second}}
		}, "saved", Violation, "node 2 started on host h2 with term 5, a vote for node 0 and a log up to index 40; it had saved term 5, a vote for node 3 and index 40"},
		"an entry that was replaced": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: NotReplaced, Cluster: 7, Node: 2, Host: "h2", Index: 40, EntryTerm: 4, LastTerm: 5, At: second}}
		}, "saved", Violation, "node 2 started on host h2 with the entry of index 40 and term 4, which it had replaced by one of term 5"},
		"a forgotten commitment": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: ForgottenCommit, Cluster: 7, Node: 2, Host: "h2", Index: 39, LastIndex: 40, At: second}}
		}, "saved", Violation, "node 2 started on host h2 with the commitment of index 39; it had saved that of index 40"},
		"a forgotten snapshot": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: ForgottenSnapshot, Cluster: 7, Node: 2, Host: "h2", LastIndex: 40, LastTerm: 5, At: second}}
		}, "saved", Violation, "node 2 started on host h2 with no snapshot; it had saved the one of index 40 and term 5, which is gone"},
		"a changed entry": {func(f *Facts, _ *limits) {
			f.RaftSafety.Breaches = []Breach{{Kind: EntryChanged, Cluster: 7, Node: 2, Host: "h2", Index: 40, EntryTerm: 5, LastTerm: 4, At: second}}
		}, "saved", Violation, "node 2 started on host h2 with an entry of index 40 and term 5 that is not the one of term 4 that it had saved"},
		"no commits":               {func(f *Facts, _ *limits) { f.RaftSafety.Commits = 0 }, "commits", Inconclusive, "no committed entry"},
		"two leaders":              {func(f *Facts, _ *limits) { f.Leaders[2].Node = 3 }, "leaders", Violation, "two leaders in term 2"},
		"memberships differ":       {func(f *Facts, _ *limits) { f.Memberships[1].Voters[4] = "h9" }, "membership", Violation, "at config change 9"},
		"a removed member is back": {func(f *Facts, _ *limits) { f.Memberships[0].Removed = []uint64{2} }, "membership", Violation, "node 2 is a member although it was removed"},
		"a member back later": {func(f *Facts, _ *limits) {
			f.Memberships[3].Removed = []uint64{3}
			delete(f.Memberships[3].Voters, 3)
		}, "membership", Violation, "at config change 9: node 3 is a member although it was removed by config change 4"},
		"a member back unsaid": {func(f *Facts, _ *limits) {
			f.Memberships = append(f.Memberships, Membership{Cluster: 7, Node: 3, Version: 2, Voters: map[uint64]string{4: "h4:1", 1: "h1:1"}})
		}, "membership", Violation, "node 4 is a member although it was removed by config change 4"},
		"removed ones differ": {func(f *Facts, _ *limits) { f.Memberships[0].Removed = []uint64{5} }, "membership", Violation, "removed [5]; node 3 knows"},
		"removed ones unknown": {func(f *Facts, _ *limits) {
			for i := range f.Memberships {
				f.Memberships[i].Removed = nil
			}
		}, "membership", Inconclusive, "which members were removed was not recorded"},
		"a single view":                 {func(f *Facts, _ *limits) { f.Memberships = f.Memberships[:1] }, "membership", Inconclusive, "only 1 of 3 members gave the membership of config change 9"},
		"a view of voters":              {func(f *Facts, _ *limits) { f.Memberships[1].VotersOnly = true }, "membership", Inconclusive, "only 2 of 3 members"},
		"a cluster without view":        {func(f *Facts, _ *limits) { f.Clusters = append(f.Clusters, Cluster{8, 1}) }, "membership", Inconclusive, "no membership of cluster 8"},
		"a lost update":                 {func(f *Facts, _ *limits) { f.Finals[0].Value = str("a") }, "writes", Violation, `holds "a" at the end, although client 3's later put of "b"`},
		"a lost key":                    {func(f *Facts, _ *limits) { f.Finals[0].Value = nil }, "writes", Violation, "holds nothing"},
		"a value from nowhere":          {func(f *Facts, _ *limits) { f.Finals[0].Value = str("z") }, "writes", Violation, "nobody wrote"},
		"a lost append":                 {func(f *Facts, _ *limits) { f.Finals[1].Value = str("y;") }, "writes", Violation, `without "x;"`},
		"a member short":                {func(f *Facts, _ *limits) { f.Clusters[0].Size = 5 }, "picture", Violation, "has 3 voting members instead of 5"},
		"a member on a dead host":       {func(f *Facts, _ *limits) { f.Hosts[1].Alive = false }, "picture", Violation, "member 2 runs on no live host"},
		"a member Drummer lost":         {func(f *Facts, _ *limits) { f.Picture = f.Picture[1:] }, "picture", Violation, "does not know member 2"},
		"Drummer believes a ghost":      {func(f *Facts, _ *limits) { f.Picture[0].Node = 1 }, "picture", Violation, "takes node 1 for a member"},
		"Drummer takes it for dead":     {func(f *Facts, _ *limits) { f.Picture[0].Alive = false }, "picture", Violation, "alive: false; it runs: true"},
		"a node on two hosts, pictured": {func(f *Facts, _ *limits) { f.Hosts[3].Running = append(f.Hosts[3].Running, Node{7, 2}) }, "picture", Violation, "node 2 of cluster 7 runs on more than one host: [h2 h4]"},
		"a node on two hosts":           {func(f *Facts, _ *limits) { f.Hosts[3].Running = append(f.Hosts[3].Running, Node{7, 2}) }, "zombies", Violation, "node 2 of cluster 7 runs on more than one host: [h2 h4]"},
		"a belief in nothing": {func(f *Facts, _ *limits) {
			f.Picture = append(f.Picture, PictureNode{77, 1, "h2", true, true})
		}, "picture", Violation, "believes in cluster 77"},
		"a member in two places": {func(f *Facts, _ *limits) {
			f.Picture = append(f.Picture, PictureNode{7, 2, "h3", true, true})
		}, "picture", Violation, "on host h2 and on host h3"},
		"an observer taken for a voter": {func(f *Facts, _ *limits) {
			f.Picture = append(f.Picture, PictureNode{7, 5, "h1", true, true})
			for i := range f.Memberships {
				f.Memberships[i].Observers = map[uint64]string{5: "h1:1"}
			}
		}, "picture", Violation, "takes member 5 for a voter"},
		"a member elsewhere":     {func(f *Facts, _ *limits) { f.Hosts[1].Address = "h9:1" }, "picture", Violation, "runs on host h2, address h9:1; the membership says h2:1"},
		"a host without address": {func(f *Facts, _ *limits) { f.Hosts[1].Address = "" }, "picture", Inconclusive, "the address of host h2"},
		"a cluster that changes": {func(f *Facts, _ *limits) { f.Hosts[1].Running = []Node{}; f.Changing = []uint64{7} }, "picture", Inconclusive, "cluster 7 changed while"},
		"a host not looked into": {func(f *Facts, _ *limits) { f.Hosts[1].Running = nil }, "picture", Inconclusive, "what runs on host h2"},
		"a cluster nowhere":      {func(f *Facts, _ *limits) { f.Clusters = append(f.Clusters, Cluster{8, 3}) }, "picture", Violation, "cluster 8 runs on no live host"},
		"members not recorded":   {func(f *Facts, _ *limits) { f.Memberships = []Membership{} }, "picture", Inconclusive, "no membership of cluster 7"},
		"two members on one host": {func(f *Facts, _ *limits) {
			f.Hosts[1].Running = append(f.Hosts[1].Running, Node{7, 3})
			f.Hosts[2].Running = nil
		}, "picture", Violation, "both run on host h2"},
		"a zombie":             {func(f *Facts, _ *limits) { f.Hosts[1].Running = append(f.Hosts[1].Running, Node{7, 1}) }, "zombies", Violation, "host h2 runs node 1 of cluster 7"},
		"a dead host's zombie": {func(f *Facts, _ *limits) { f.Hosts[0].Running = []Node{{7, 1}} }, "zombies", Pass, "3 running nodes"},
		"a zombie, or a move": {func(f *Facts, _ *limits) {
			f.Hosts[1].Running = append(f.Hosts[1].Running, Node{7, 1})
			f.Changing = []uint64{7}
		}, "zombies", Inconclusive, "cluster 7 changed while"},
		"no hosts":         {func(f *Facts, _ *limits) { f.Hosts = []Host{} }, "zombies", Inconclusive, "no live host was seen"},
		"no live hosts":    {func(f *Facts, _ *limits) { f.Hosts = f.Hosts[:1] }, "zombies", Inconclusive, "no live host was seen"},
		"a zombie, or not": {func(f *Facts, _ *limits) { f.Hosts[1].Running = nil }, "zombies", Inconclusive, "what runs on host h2"},
		"a node of an unknown cluster": {func(f *Facts, _ *limits) {
			f.Hosts[1].Running = append(f.Hosts[1].Running, Node{77, 1})
		}, "zombies", Violation, "cluster 77, which should not be there"},
		"no answer": {func(f *Facts, _ *limits) { f.Probes[0].OK = false; f.Probes[0].Error = "timeout" }, "answers", Violation, "did not answer a write within 1 s: timeout"},
		"no answer of a member": {func(f *Facts, _ *limits) {
			f.Probes = append(f.Probes, Probe{Cluster: 7, Kind: "read", Host: "h2", Took: second, Error: "timeout"})
		}, "answers", Violation, "cluster 7 did not answer a read at h2 within 1 s: timeout"},
		"no answer of a cluster that was looked into": {func(f *Facts, _ *limits) {
			f.Probes[0].OK = false
			f.Members = []MemberState{{Cluster: 8}, {Cluster: 7, Node: 1, Host: "h1"},
				{Cluster: 7, Node: 2, Host: "h2", Running: true, Role: "candidate", Term: 5, LastIndex: 12, Commit: 11, Applied: 10}}
		}, "answers", Violation, "; node 1 on h1 does not run; node 2 on h2 is candidate in term 5 following nobody, with last index 12, commit 11, applied 10"},
		"not asked":   {func(f *Facts, _ *limits) { f.Probes = f.Probes[:1] }, "answers", Inconclusive, "was not asked for a read"},
		"slow repair": {func(f *Facts, l *limits) { l.repair.Max = 10 * time.Second }, "repair", Violation, "took 20 s to replace node 1"},
		"no repair":   {func(f *Facts, _ *limits) { f.Repairs[0].RepairedAt = 0 }, "repair", Violation, "never got a replacement"},
		"a stall":     {func(f *Facts, l *limits) { l.stall.Max = time.Second }, "write_stall", Violation, "completed no write for 2 s"},
		"a stall, perhaps": {func(f *Facts, _ *limits) {
			f.Stalls = append(f.Stalls, Stall{Cluster: 7, From: second, To: 8 * second, Unsure: true})
		}, "write_stall", Inconclusive, "completed no write for 7 s, from 1 s on, more than the limit of 5 s; whether clients waited"},
		"a short one, perhaps": {func(f *Facts, _ *limits) {
			f.Stalls = append(f.Stalls, Stall{Cluster: 7, From: second, To: 5 * second, Unsure: true})
		}, "write_stall", Pass, "the longest stall was 2 s"},
		"no write at all": {func(f *Facts, _ *limits) { f.Clusters = append(f.Clusters, Cluster{8, 3}) }, "write_stall", Inconclusive, "cluster 8 was asked for no write"},
		"a cluster that is gone": {func(f *Facts, _ *limits) {
			f.Stalls = append(f.Stalls, Stall{Cluster: 9, To: 99 * second})
		}, "write_stall", Pass, ""},
		"stalls of what":       {func(f *Facts, _ *limits) { f.Clusters = nil }, "write_stall", Inconclusive, "which clusters there should be: not recorded"},
		"too few operations":   {func(f *Facts, l *limits) { l.evidence.MinOperations = 1000 }, "evidence", Inconclusive, "35 operations were completed; at least 1000"},
		"too little overlap":   {func(f *Facts, l *limits) { l.evidence.MinOverlap = 40 }, "evidence", Inconclusive, "overlap another one on their key, less than 40 %"},
		"a fault back in time": {func(f *Facts, l *limits) { f.Faults[0].To = second; l.evidence.MinAround = 0 }, "evidence", Inconclusive, "ended before it began, at 1 s"},
		"a fault too late": {func(f *Facts, l *limits) {
			f.Faults[0].From, f.Faults[0].To = 50*second, 60*second
			l.evidence.MinAround = 0
		}, "evidence", Inconclusive, "met no operation: they went from 0 s to 29 s"},
		"a fault too early": {func(f *Facts, l *limits) {
			f.Faults[0].From, f.Faults[0].To = -20*second, -10*second
			l.evidence.MinAround = 0
		}, "evidence", Inconclusive, "met no operation"},
		"an open fault too late": {func(f *Facts, l *limits) {
			f.Faults[0].From, f.Faults[0].To = 50*second, 0
			l.evidence.MinAround = 1
		}, "evidence", Inconclusive, "met no operation"},
		"an open fault":       {func(f *Facts, _ *limits) { f.Faults[0].To = 0 }, "evidence", Pass, ""},
		"a fault that missed": {func(f *Facts, l *limits) { f.Faults[0].TookEffect = false }, "evidence", Inconclusive, "had no effect"},
		"a fault that may": {func(f *Facts, l *limits) {
			f.Faults[0].TookEffect, f.Faults[0].MayMiss, l.evidence.MaxIneffective = false, true, 100
		}, "evidence", Pass, "1 without effect"},
		"faults that touched nothing": {func(f *Facts, _ *limits) { f.Faults[0].TookEffect, f.Faults[0].MayMiss = false, true }, "evidence", Inconclusive, "1 of 1 injections on the network touched nothing"},
		"a skipped fault whose time the scenario gives": {func(f *Facts, _ *limits) {
			for range 9 { // one in ten is few enough otherwise
				f.Faults = append(f.Faults, f.Faults[0])
			}
			f.Faults = append(f.Faults, Fault{Kind: "wipe", Target: "h2", From: 12 * second, Skipped: true, Exact: true, Reason: "no leader"})
		}, "evidence", Inconclusive, "the wipe of h2 that the scenario wants at 12 s never began: no leader"},
		"a skipped fault": {func(f *Facts, _ *limits) {
			f.Faults = append(f.Faults, Fault{Kind: "wipe", Target: "h2", Skipped: true, Reason: "no leader"})
		}, "evidence", Inconclusive, "1 of 2 injections were skipped, more than 25 %; the first: the wipe of h2 at 0 s: no leader"},
		"a late fault": {func(f *Facts, _ *limits) {
			f.Faults[0].Late, f.Faults[0].Reason = 90*second, "no leader"
		}, "evidence", Inconclusive, "the kill of h1 at 10 s was 90 s late: no leader"},
		"missed operations":         {func(f *Facts, _ *limits) { f.Missed = 3 }, "evidence", Inconclusive, "3 of 40 operations were missed because all clients waited: 8 %, more than 5 %"},
		"none during a short fault": {func(f *Facts, _ *limits) { f.Faults[0].To = 10*second + 1 }, "evidence", Pass, ""},
		"nobody asks any more":      {func(f *Facts, _ *limits) { f.Faults[0].From, f.Faults[0].To = 29*second, 29*second }, "evidence", Inconclusive, "1 operations were asked for during the kill of h1"},
		"none during a long fault":  {func(f *Facts, _ *limits) { stopAt(f, 10*second, 20*second) }, "evidence", Inconclusive, "0 operations were completed during the kill of h1"},
		"none without a quorum": {func(f *Facts, _ *limits) {
			stopAt(f, 10*second, 20*second)
			f.Outages = []Outage{{7, 12 * second, 13 * second}}
		}, "evidence", Pass, ""},
		"a wanted fault": {func(f *Facts, _ *limits) { f.Wanted = append(f.Wanted, f.Wanted[0]) }, "effects", Inconclusive, "kill of h1 took effect 1 times, wanted at least 2"},
		"a panic":        {func(f *Facts, _ *limits) { f.Process.Panic = "too bad\nand more" }, "process", Violation, `ended with the panic "too bad"; its stack`},
		"a panic on a host": {func(f *Facts, _ *limits) {
			f.Process.Panic, f.Process.Where, f.Process.Before = "too bad", "on h2", "no fault had struck before"
		}, "process", Violation, `ended with the panic "too bad" on h2; no fault had struck before; its stack`},
		"os.Exit":        {func(f *Facts, _ *limits) { f.Process.Exited = 1 }, "process", Violation, "ended itself with exit status 1"},
		"a hidden panic": {func(f *Facts, _ *limits) { f.Process.Hidden = []string{"a worker is gone"} }, "process", Violation, "a worker is gone"},
		"no boot":        {func(f *Facts, _ *limits) { f.Process.NotBooted = []string{"h3 does not start"} }, "process", Violation, "h3 does not start"},
		"a run cut":      {func(f *Facts, _ *limits) { f.Process.Cut = "it was killed" }, "process", Inconclusive, "it was killed"},
		"a run stopped":  {func(f *Facts, _ *limits) { f.Process.Cut, f.Stopped = "it stopped", true }, "process", Pass, "it stopped"},
		"not launched":   {func(f *Facts, _ *limits) { f.Launch.Full = 0 }, "launch", Violation, "0 of 1 clusters ran in full after 1 s"},
		"no launch":      {func(f *Facts, _ *limits) { f.Launch.Full, f.Launch.Took = 0, 0 }, "launch", Inconclusive, "before the launch did"},
		"broken invariant": {func(f *Facts, _ *limits) {
			f.Invariants.Broken = []Broken{{Name: "no debt", Cluster: 7, Node: 2, Host: "h2", Text: "ada owes 5"}}
		}, "invariants", Violation, "cluster 7, node 2 on h2: no debt: ada owes 5"},
		"nothing looked at":               {func(f *Facts, _ *limits) { f.Invariants = &Brought{} }, "invariants", Inconclusive, "nothing was looked at"},
		"a model that is gone":            {func(f *Facts, _ *limits) { f.Ops[0].Kind = history.Command }, "linearizability", Inconclusive, "that test alone has the model"},
		"misplaced":                       {func(f *Facts, _ *limits) { f.Placement.Left = []string{"cluster 7: a member is on h1"} }, "placement", Violation, "1 s after all was whole: cluster 7: a member is on h1"},
		"not whole":                       {func(f *Facts, _ *limits) { *f.Settle = Settle{Took: second, Left: []string{"cluster 7 waits"}} }, "settled", Violation, "not whole after 1 s: cluster 7 waits"},
		"an action that was not accepted": {func(f *Facts, _ *limits) { f.WantedActions = 2 }, "actions", Inconclusive, "Drummer accepted 1 of the 2 actions that the scenario has"},
		"a late action":                   {func(f *Facts, _ *limits) { f.Actions[0].Late = 90 * second }, "evidence", Inconclusive, "the operator's drain of h1 was accepted at 5 s, 90 s late"},
		"an unmet wish":                   {func(f *Facts, _ *limits) { f.Unmet = []string{"h1 is not empty"} }, "actions", Violation, "h1 is not empty"},
		"a belief":                        {func(f *Facts, _ *limits) { f.Beliefs[0].Leader = 3 }, "beliefs", Pass, "1 of 3 announcements name a node that did not lead, the first: cluster 7: node 2 named node 3 as leader of term 1"},
		"a strict one":                    {func(f *Facts, l *limits) { f.Beliefs[0].Leader, l.beliefs.Strict = 3, true }, "beliefs", Violation, "in which node 1 led"},
		"a stale read": {func(f *Facts, _ *limits) {
			f.Ops = append(f.Ops, history.Op{Cluster: 7, Key: "7/k", Kind: history.Get, Observed: history.String("a"), Call: 20 * second, Return: 21 * second, Outcome: history.OK})
		}, "linearizability", Violation, "cluster 7, key 7/k: "},
		"answers in order":                    {answers(at(7, 1, 2, history.Get, 5), at(7, 3, 4, history.Put, 6), at(7, 3, 6, history.Get, 5), at(7, 5, 6, history.Get, 6), at(8, 7, 8, history.Put, 1)), "recency", Pass, "5 answers of 2 clusters"},
		"answers of nobody knows which state": {func(f *Facts, _ *limits) { f.Ops[0].By, f.Ops = &history.Replica{}, f.Ops[:1] }, "recency", Inconclusive, "no answer names the state that it comes from"},
		"an answer from the past":             {answers(at(7, 1, 2, history.Put, 5), at(7, 3, 4, history.Get, 4)), "recency", Violation, "cluster 7: client 3's get of key 7/k3, called at 3 s and answered by host h4, saw the state after update 4, though client 1 had been answered by host h5 out of the state after update 5 at 2 s"},
		"a stale read of the past":            {answers(at(7, 1, 2, history.Put, 5), at(7, 3, 4, history.Stale, 4)), "recency", Pass, ""},
		"a write into the past":               {answers(at(7, 1, 2, history.Get, 5), at(7, 3, 4, history.Put, 5)), "recency", Violation, "client 3's put of key 7/k3"},
		"a failed cas that is from the past":  {answers(at(7, 1, 2, history.Get, 5), failed(at(7, 3, 4, history.Cas, 4))), "recency", Violation, "client 3's cas of key 7/k3"},
		"a write of whose fate nobody knows":  {answers(at(7, 1, 2, history.Get, 5), unknown(at(7, 3, 4, history.Put, 4))), "recency", Pass, "1 answers of 1 clusters"},
		"an answer that was given at the end": {answers(at(7, 1, 9, history.Put, 5), at(7, 3, 4, history.Get, 4)), "recency", Pass, "2 answers"},
	} {
		t.Run(name, func(t *testing.T) {
			f, l := healthy()
			c.spoil(f, l)
			finding := findingsOf(t, c.check, f, l)[0]
			require.Equal(t, c.verdict, finding.Verdict, finding.Detail)
			require.Contains(t, finding.Detail, c.detail)
		})
	}
}

// at is an answered operation of a key of its own, by a host that had applied so many
// updates.
func at(cluster uint64, call, ret int64, kind history.Kind, applied uint64) history.Op {
	return history.Op{Client: call, Cluster: cluster, Key: fmt.Sprintf("%d/k%d", cluster, call), Kind: kind, Call: call * second, Return: ret * second,
		Outcome: history.OK, By: &history.Replica{Host: fmt.Sprintf("h%d", applied), Applied: applied}}
}

func failed(o history.Op) history.Op {
	o.Outcome = history.Fail
	return o
}

func unknown(o history.Op) history.Op {
	o.Outcome = history.Unknown
	return o
}

// answers makes a history of them.
func answers(ops ...history.Op) func(*Facts, *limits) {
	return func(f *Facts, _ *limits) { f.Ops = ops }
}

// stopAt takes the operations out of the history that ended in a time.
func stopAt(f *Facts, from, to int64) {
	f.Ops = slices.DeleteFunc(slices.Clone(f.Ops), func(op history.Op) bool { return from <= op.Return && op.Return < to })
	for range 5 { // clients still ask
		f.Ops = append(f.Ops, history.Op{Cluster: 7, Key: "7/n", Kind: history.Get, Call: from + 1, Return: to + 1, Outcome: history.Fail})
	}
}
