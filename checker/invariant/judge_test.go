// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

const second = int64(1e9)

func str(s string) *string { return &s }

// healthy returns the facts of a run in which all is well: node 1 of cluster 7
// was lost with host h1 and replaced by node 4 on h4.
func healthy() (*Facts, []history.Op, Limits) {
	voters := func() map[uint64]string { return map[uint64]string{2: "h2:1", 3: "h3:1", 4: "h4:1"} }
	f := &Facts{
		Clusters: []Cluster{{7, 3}},
		Hosts: []Host{
			{"h1", false, nil, "h1:1"}, {"h2", true, []Node{{7, 2}}, "h2:1"}, {"h3", true, []Node{{7, 3}}, "h3:1"}, {"h4", true, []Node{{7, 4}}, "h4:1"},
		},
		Picture: []PictureNode{{7, 2, "h2", true, true}, {7, 3, "h3", true, true}, {7, 4, "h4", true, true}},
		Memberships: []Membership{
			{Cluster: 7, Node: 2, Version: 9, Voters: voters(), Removed: []uint64{1}},
			{Cluster: 7, Node: 3, Version: 9, Voters: voters(), Removed: []uint64{1}},
			{Cluster: 7, Node: 4, Version: 9, Voters: voters(), Removed: []uint64{1}},
			{Cluster: 7, Node: 3, Version: 4, Voters: map[uint64]string{1: "h1:1", 2: "h2:1", 3: "h3:1"}},
		},
		Digests: []Digest{
			{Cluster: 7, Node: 2, Index: 40, Sum: "aa"}, {Cluster: 7, Node: 3, Index: 40, Sum: "aa"},
			{Cluster: 7, Node: 2, Index: 50, Sum: "bb", Final: true}, {Cluster: 7, Node: 3, Index: 50, Sum: "bb", Final: true}, {Cluster: 7, Node: 4, Index: 50, Sum: "bb", Final: true},
		},
		Entries:  []Entry{{7, 2, 40, 2, "e1", "put k=a"}, {7, 3, 40, 2, "e1", "put k=a"}, {7, 4, 40, 2, "e1", "put k=a"}},
		Leaders:  []Leader{{7, 1, 1, 1}, {7, 2, 2, 2}, {7, 2, 2, 3}},
		Finals:   []Final{{Cluster: 7, Key: "7/k", Value: str("b"), At: 100 * second}, {Cluster: 7, Key: "7/l", Value: str("x;y;"), At: 100 * second}},
		Probes:   []Probe{{7, "write", true, "", second}, {7, "read", true, "", second}},
		Repairs:  []Repair{{Cluster: 7, Node: 1, LostAt: 10 * second, RepairedAt: 30 * second, By: 4}},
		Stalls:   []Stall{{Cluster: 7, From: 10 * second, To: 12 * second}, {Cluster: 7, From: 20 * second, To: 90 * second, Excused: true}},
		Faults:   []Fault{{Kind: "kill", Target: "h1", From: 10 * second, To: 20 * second, Effect: 1}},
		LogLines: []LogLine{{"h2", second, "all is well"}, {"h2", second, "panic: but this one is known"}},
	}
	var ops []history.Op
	for i := range int64(30) {
		ops = append(ops, history.Op{Cluster: 7, Key: "7/m", Kind: history.Get, Observed: history.Absent, Call: i * second, Return: i*second + 1, Outcome: history.OK})
	}
	put := func(key string, kind history.Kind, v string, call, ret int64, outcome history.Outcome) {
		ops = append(ops, history.Op{Client: 3, Cluster: 7, Key: key, Kind: kind, Value: history.String(v), Call: call, Return: ret, Outcome: outcome})
	}
	put("7/k", history.Put, "a", 1*second, 2*second, history.OK)
	put("7/k", history.Put, "b", 3*second, 4*second, history.OK)
	put("7/k", history.Put, "c", 5*second, 0, history.Unknown)
	put("7/l", history.Append, "x;", 1*second, 2*second, history.OK)
	put("7/l", history.Append, "y;", 3*second, 4*second, history.OK)
	return f, ops, Limits{MaxRepair: 60 * second, MaxStall: 5 * second, MinOps: 20, MinOpsAround: 5, Forbidden: []string{"panic"}, Allowed: []string{"is known"}}
}

func TestAllIsWell(t *testing.T) {
	f, ops, l := healthy()
	for _, finding := range Judge(f, ops, l) {
		require.Equal(t, Pass, finding.Verdict, "%+v", finding)
		require.NotEmpty(t, finding.Detail)
	}
}

func TestNothingRecordedNeverPasses(t *testing.T) {
	for _, finding := range Judge(&Facts{}, nil, Limits{}) {
		require.Equal(t, Inconclusive, finding.Verdict, "%+v", finding)
		require.NotEmpty(t, finding.Detail)
	}
}

func TestFactsSurviveJSON(t *testing.T) {
	f, ops, l := healthy()
	f.Repairs = []Repair{}
	b, err := json.Marshal(f)
	require.NoError(t, err)
	again := new(Facts)
	require.NoError(t, json.Unmarshal(b, again))
	require.Equal(t, f, again)
	require.Equal(t, Judge(f, ops, l), Judge(again, ops, l))
}

func TestEachCheckFindsWhatItIsFor(t *testing.T) {
	for name, c := range map[string]struct {
		spoil   func(f *Facts, ops []history.Op, l *Limits)
		check   string
		verdict Verdict
		detail  string
	}{
		"states differ": {func(f *Facts, _ []history.Op, _ *Limits) { f.Digests[3].Sum = "cc" }, NameDigests, Violation, "nodes 2 () and 3 () differ at index 50"},
		"where they diverged": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Digests[3].Sum = "cc"
			f.Digests = append(f.Digests, Digest{Cluster: 7, Node: 2, Index: 45, Sum: "x"}, Digest{Cluster: 7, Node: 3, Index: 45, Sum: "y", Entry: "put k=b"})
		}, NameDivergence, Violation, "differ at index 45, digests x and y; they agreed at index 40; the entry there is put k=b"},
		"one replica, twice": {func(f *Facts, _ []history.Op, _ *Limits) { f.Digests[3].Node, f.Digests[4].Node = 2, 2 }, NameDigests, Inconclusive, "only 1 of 3 replicas"},
		"replicas in pairs": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Clusters[0].Size = 4
			f.Digests[4].Index = 90
			f.Digests = append(f.Digests, Digest{Cluster: 7, Node: 5, Index: 90, Sum: "bb", Final: true})
		}, NameDigests, Inconclusive, "only 2 of 4 replicas gave a final digest at one index, 90"},
		"too few replicas":         {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters[0].Size = 5 }, NameDigests, Inconclusive, "only 3 of 5 replicas"},
		"digests of what":          {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters = nil }, NameDigests, Inconclusive, "which clusters there are"},
		"single replicas":          {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters[0].Size = 1 }, NameDigests, Inconclusive, "no cluster has two replicas"},
		"one diverges from self":   {func(f *Facts, _ []history.Op, _ *Limits) { f.Digests[0].Node = 3; f.Digests = f.Digests[:2] }, NameDivergence, Inconclusive, "only 1 of 3 replicas"},
		"few can diverge":          {func(f *Facts, _ []history.Op, _ *Limits) { f.Digests = f.Digests[:2] }, NameDivergence, Inconclusive, "only 2 of 3 replicas"},
		"a replica behind":         {func(f *Facts, _ []history.Op, _ *Limits) { f.Digests[4].Index = 49 }, NameDigests, Inconclusive, "only 2 of 3 replicas"},
		"no final digest":          {func(f *Facts, _ []history.Op, _ *Limits) { f.Digests = f.Digests[:2] }, NameDigests, Inconclusive, "gave no final digest"},
		"logs differ in term":      {func(f *Facts, _ []history.Op, _ *Limits) { f.Entries[1].Term = 3 }, NameLog, Violation, "index 40"},
		"logs differ in content":   {func(f *Facts, _ []history.Op, _ *Limits) { f.Entries[1].Sum = "e2" }, NameLog, Violation, "put k=a"},
		"one log only":             {func(f *Facts, _ []history.Op, _ *Limits) { f.Entries = f.Entries[:1] }, NameLog, Inconclusive, "of 0 of 3 replicas"},
		"logs of another cluster":  {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters = append(f.Clusters, Cluster{8, 3}) }, NameLog, Inconclusive, "cluster 8: committed entries"},
		"a log short":              {func(f *Facts, _ []history.Op, _ *Limits) { f.Entries = f.Entries[:2] }, NameLog, Inconclusive, "of 2 of 3 replicas"},
		"no leader of a cluster":   {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters = append(f.Clusters, Cluster{8, 3}) }, NameLeaders, Inconclusive, "no leader of cluster 8"},
		"two leaders":              {func(f *Facts, _ []history.Op, _ *Limits) { f.Leaders[2].Node = 3 }, NameLeaders, Violation, "two leaders in term 2"},
		"memberships differ":       {func(f *Facts, _ []history.Op, _ *Limits) { f.Memberships[1].Voters[4] = "h9" }, NameMembership, Violation, "at config change 9"},
		"a removed member is back": {func(f *Facts, _ []history.Op, _ *Limits) { f.Memberships[0].Removed = []uint64{2} }, NameMembership, Violation, "node 2 is a member although it was removed"},
		"a member back later": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Memberships[3].Removed = []uint64{3}
			delete(f.Memberships[3].Voters, 3)
		}, NameMembership, Violation, "at config change 9: node 3 is a member although it was removed by config change 4"},
		"a member back unsaid": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Memberships = append(f.Memberships, Membership{Cluster: 7, Node: 3, Version: 2, Voters: map[uint64]string{4: "h4:1", 1: "h1:1"}})
		}, NameMembership, Violation, "node 4 is a member although it was removed by config change 4"},
		"removed ones differ": {func(f *Facts, _ []history.Op, _ *Limits) { f.Memberships[0].Removed = []uint64{5} }, NameMembership, Violation, "removed [5]; node 3 knows"},
		"removed ones unknown": {func(f *Facts, _ []history.Op, _ *Limits) {
			for i := range f.Memberships {
				f.Memberships[i].Removed = nil
			}
		}, NameMembership, Inconclusive, "which members were removed was not recorded"},
		"a single view":                 {func(f *Facts, _ []history.Op, _ *Limits) { f.Memberships = f.Memberships[:1] }, NameMembership, Inconclusive, "only 1 of 3 members told the membership of config change 9"},
		"a view of voters":              {func(f *Facts, _ []history.Op, _ *Limits) { f.Memberships[1].VotersOnly = true }, NameMembership, Inconclusive, "only 2 of 3 members"},
		"a cluster without view":        {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters = append(f.Clusters, Cluster{8, 1}) }, NameMembership, Inconclusive, "no membership of cluster 8"},
		"a lost update":                 {func(f *Facts, _ []history.Op, _ *Limits) { f.Finals[0].Value = str("a") }, NameWrites, Violation, `holds "a" at the end, although client 3's later put of "b"`},
		"a lost key":                    {func(f *Facts, _ []history.Op, _ *Limits) { f.Finals[0].Value = nil }, NameWrites, Violation, "holds nothing"},
		"a value from nowhere":          {func(f *Facts, _ []history.Op, _ *Limits) { f.Finals[0].Value = str("z") }, NameWrites, Violation, "nobody wrote"},
		"a lost append":                 {func(f *Facts, _ []history.Op, _ *Limits) { f.Finals[1].Value = str("y;") }, NameWrites, Violation, `without "x;"`},
		"a member short":                {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters[0].Size = 5 }, NamePicture, Violation, "has 3 voting members instead of 5"},
		"a member on a dead host":       {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[1].Alive = false }, NamePicture, Violation, "member 2 runs on no live host"},
		"a member Drummer lost":         {func(f *Facts, _ []history.Op, _ *Limits) { f.Picture = f.Picture[1:] }, NamePicture, Violation, "does not know member 2"},
		"Drummer believes a ghost":      {func(f *Facts, _ []history.Op, _ *Limits) { f.Picture[0].Node = 1 }, NamePicture, Violation, "takes node 1 for a member"},
		"Drummer takes it for dead":     {func(f *Facts, _ []history.Op, _ *Limits) { f.Picture[0].Alive = false }, NamePicture, Violation, "alive: false; it runs: true"},
		"a node on two hosts, pictured": {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[3].Running = append(f.Hosts[3].Running, Node{7, 2}) }, NamePicture, Violation, "node 2 of cluster 7 runs on more than one host: [h2 h4]"},
		"a node on two hosts":           {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[3].Running = append(f.Hosts[3].Running, Node{7, 2}) }, NameZombies, Violation, "node 2 of cluster 7 runs on more than one host: [h2 h4]"},
		"a belief in nothing": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Picture = append(f.Picture, PictureNode{77, 1, "h2", true, true})
		}, NamePicture, Violation, "believes in cluster 77"},
		"a member in two places": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Picture = append(f.Picture, PictureNode{7, 2, "h3", true, true})
		}, NamePicture, Violation, "on host h2 and on host h3"},
		"an observer taken for a voter": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Picture = append(f.Picture, PictureNode{7, 5, "h1", true, true})
			for i := range f.Memberships {
				f.Memberships[i].Observers = map[uint64]string{5: "h1:1"}
			}
		}, NamePicture, Violation, "takes member 5 for a voter"},
		"a member elsewhere":     {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[1].Address = "h9:1" }, NamePicture, Violation, "runs on host h2, address h9:1; the membership says h2:1"},
		"a host without address": {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[1].Address = "" }, NamePicture, Inconclusive, "the address of host h2"},
		"a cluster that changes": {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[1].Running = []Node{}; f.Changing = []uint64{7} }, NamePicture, Inconclusive, "cluster 7 changed while"},
		"a host not looked into": {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[1].Running = nil }, NamePicture, Inconclusive, "what runs on host h2"},
		"a cluster nowhere":      {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters = append(f.Clusters, Cluster{8, 3}) }, NamePicture, Violation, "cluster 8 runs on no live host"},
		"members not recorded":   {func(f *Facts, _ []history.Op, _ *Limits) { f.Memberships = []Membership{} }, NamePicture, Inconclusive, "no membership of cluster 7"},
		"two members on one host": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Hosts[1].Running = append(f.Hosts[1].Running, Node{7, 3})
			f.Hosts[2].Running = nil
		}, NamePicture, Violation, "both run on host h2"},
		"a zombie":             {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[1].Running = append(f.Hosts[1].Running, Node{7, 1}) }, NameZombies, Violation, "host h2 runs node 1 of cluster 7"},
		"a dead host's zombie": {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[0].Running = []Node{{7, 1}} }, NameZombies, Pass, "3 running nodes"},
		"a zombie, or a move": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Hosts[1].Running = append(f.Hosts[1].Running, Node{7, 1})
			f.Changing = []uint64{7}
		}, NameZombies, Inconclusive, "cluster 7 changed while"},
		"no hosts":         {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts = []Host{} }, NameZombies, Inconclusive, "no live host was seen"},
		"no live hosts":    {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts = f.Hosts[:1] }, NameZombies, Inconclusive, "no live host was seen"},
		"a zombie, or not": {func(f *Facts, _ []history.Op, _ *Limits) { f.Hosts[1].Running = nil }, NameZombies, Inconclusive, "what runs on host h2"},
		"a node of an unknown cluster": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Hosts[1].Running = append(f.Hosts[1].Running, Node{77, 1})
		}, NameZombies, Violation, "cluster 77, which should not be there"},
		"no answer":   {func(f *Facts, _ []history.Op, _ *Limits) { f.Probes[0].OK = false; f.Probes[0].Error = "timeout" }, NameLiveness, Violation, "did not answer a write within 1 s: timeout"},
		"not asked":   {func(f *Facts, _ []history.Op, _ *Limits) { f.Probes = f.Probes[:1] }, NameLiveness, Inconclusive, "was not asked for a read"},
		"slow repair": {func(f *Facts, _ []history.Op, l *Limits) { l.MaxRepair = 10 * second }, NameRepair, Violation, "took 20 s to replace node 1"},
		"no repair":   {func(f *Facts, _ []history.Op, _ *Limits) { f.Repairs[0].RepairedAt = 0 }, NameRepair, Violation, "never got a replacement"},
		"a stall":     {func(f *Facts, _ []history.Op, l *Limits) { l.MaxStall = second }, NameStall, Violation, "completed no write for 2 s"},
		"a stall, perhaps": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Stalls = append(f.Stalls, Stall{Cluster: 7, From: second, To: 8 * second, Unsure: true})
		}, NameStall, Inconclusive, "completed no write for 7 s, from 1 s on, more than the limit of 5 s; whether clients waited"},
		"a short one, perhaps": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Stalls = append(f.Stalls, Stall{Cluster: 7, From: second, To: 5 * second, Unsure: true})
		}, NameStall, Pass, "the longest stall was 2 s"},
		"no write at all": {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters = append(f.Clusters, Cluster{8, 3}) }, NameStall, Inconclusive, "cluster 8 was asked for no write"},
		"a cluster that is gone": {func(f *Facts, _ []history.Op, _ *Limits) {
			f.Stalls = append(f.Stalls, Stall{Cluster: 9, To: 99 * second})
		}, NameStall, Pass, ""},
		"stalls of what":       {func(f *Facts, _ []history.Op, _ *Limits) { f.Clusters = nil }, NameStall, Inconclusive, "which clusters"},
		"a panic":              {func(f *Facts, _ []history.Op, l *Limits) { l.Allowed = nil }, NameLogLines, Violation, "h2 logged"},
		"a bad pattern":        {func(f *Facts, _ []history.Op, l *Limits) { l.Allowed = append(l.Allowed, "(") }, NameLogLines, Inconclusive, `pattern "("`},
		"too few operations":   {func(f *Facts, _ []history.Op, l *Limits) { l.MinOps = 1000 }, NameEvidence, Inconclusive, "34 operations were completed; at least 1000"},
		"too few during":       {func(f *Facts, _ []history.Op, l *Limits) { f.Faults[0].To = 11 * second }, NameEvidence, Inconclusive, "completed during the kill of h1"},
		"a fault back in time": {func(f *Facts, _ []history.Op, l *Limits) { f.Faults[0].To = second; l.MinOpsAround = 0 }, NameEvidence, Inconclusive, "ended before it began, at 1 s"},
		"a fault too late": {func(f *Facts, _ []history.Op, l *Limits) {
			f.Faults[0].From, f.Faults[0].To = 50*second, 60*second
			l.MinOpsAround = 0
		}, NameEvidence, Inconclusive, "met no operation: they went from 0 s to 29 s"},
		"a fault too early": {func(f *Facts, _ []history.Op, l *Limits) {
			f.Faults[0].From, f.Faults[0].To = -20*second, -10*second
			l.MinOpsAround = 0
		}, NameEvidence, Inconclusive, "met no operation"},
		"an open fault too late": {func(f *Facts, _ []history.Op, l *Limits) {
			f.Faults[0].From, f.Faults[0].To = 50*second, 0
			l.MinOpsAround = 1
		}, NameEvidence, Inconclusive, "met no operation"},
		"an open fault":       {func(f *Facts, _ []history.Op, _ *Limits) { f.Faults[0].To = 0 }, NameEvidence, Pass, ""},
		"no pattern":          {func(f *Facts, _ []history.Op, l *Limits) { l.Forbidden = nil }, NameLogLines, Inconclusive, "no pattern was given"},
		"a fault that missed": {func(f *Facts, _ []history.Op, l *Limits) { f.Faults[0].Effect = 0 }, NameEvidence, Inconclusive, "had no effect"},
		"a fault that may":    {func(f *Facts, _ []history.Op, l *Limits) { f.Faults[0].Effect = 0; f.Faults[0].MayMiss = true }, NameEvidence, Pass, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f, ops, l := healthy()
			c.spoil(f, ops, &l)
			for _, finding := range Judge(f, ops, l) {
				if finding.Name == c.check {
					require.Equal(t, c.verdict, finding.Verdict, finding.Detail)
					require.Contains(t, finding.Detail, c.detail)
				}
			}
		})
	}
}
