// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// by makes a write of a client on cluster 7; ret 0 means of unknown outcome.
func by(client, call, ret int64) history.Op {
	o := history.Op{Client: client, Cluster: 7, Kind: history.Put, Value: history.String("v"), Call: call, Return: ret, Outcome: history.OK}
	if ret == 0 {
		o.Outcome = history.Unknown
	}
	return o
}

func TestWriteStallsAreMeasuredWhileWritesAreAskedFor(t *testing.T) {
	sure := func(from, to int64) Stall { return Stall{Cluster: 7, From: from, To: to} }
	unsure := func(from, to int64) Stall { return Stall{Cluster: 7, From: from, To: to, Unsure: true} }
	for name, c := range map[string]struct {
		ops  []history.Op
		want []Stall
	}{
		"steady":             {[]history.Op{by(1, 0, 2), by(1, 2, 4), by(1, 4, 6)}, []Stall{sure(0, 2)}},
		"in no time":         {[]history.Op{by(1, 5, 5)}, []Stall{sure(5, 5)}},
		"nothing asked":      {[]history.Op{by(1, 0, 2), by(1, 90, 93)}, []Stall{sure(90, 93)}},
		"one slow":           {[]history.Op{by(1, 0, 2), by(1, 3, 50)}, []Stall{sure(3, 50)}},
		"given up meanwhile": {[]history.Op{by(1, 0, 2), by(2, 5, 0), by(3, 20, 0), by(4, 40, 50)}, []Stall{sure(5, 50)}},
		"never again":        {[]history.Op{by(1, 0, 2), by(2, 10, 0)}, []Stall{sure(10, 100)}},
		"never at all":       {[]history.Op{by(1, 10, 0), by(2, 20, 0)}, []Stall{sure(10, 100)}},
		"reads don't count":  {[]history.Op{{Kind: history.Get}}, []Stall{}},
		// Clients 2 and 3 wait from 10 on, and call again, one of them to read.
		"hanging across an end": {[]history.Op{by(1, 0, 11), by(2, 10, 0), by(3, 10, 0), by(2, 71, 72), {Client: 3, Kind: history.Get, Call: 60}},
			[]Stall{sure(0, 11), unsure(11, 72)}},
		"gone across an end": {[]history.Op{by(1, 0, 11), by(2, 10, 0), by(3, 71, 72)}, []Stall{sure(0, 11)}},
	} {
		t.Run(name, func(t *testing.T) { require.Equal(t, c.want, WriteStalls(c.ops, 100, nil)) })
	}
}

func TestAnExcusedStallHidesNoOther(t *testing.T) {
	ops := []history.Op{by(1, 0, 2), by(1, 3, 50), by(1, 60, 90), by(1, 91, 95)}
	outage := func(_ uint64, from, to int64) bool { return from < 20 && 10 < to }
	require.Equal(t, []Stall{{Cluster: 7, From: 60, To: 90}, {Cluster: 7, From: 3, To: 50, Excused: true}}, WriteStalls(ops, 100, outage))
}

// TestAHangOfAllClientsIsNoPass: eight clients call at 10.9 s, and again a
// minute later; a write was acknowledged in between.
func TestAHangOfAllClientsIsNoPass(t *testing.T) {
	ops := []history.Op{by(99, second, 11*second)}
	for c := range int64(8) {
		ops = append(ops, by(c, 10*second+900, 0), by(c, 70*second, 71*second))
	}
	f := &Facts{Clusters: []Cluster{{7, 3}}, Stalls: WriteStalls(ops, 72*second, nil)}
	finding := table["write_stall"].run(t.Context(), f, &writeStallSettings{Max: 15 * time.Second})[0]
	require.Equal(t, Inconclusive, finding.Verdict, finding.Detail)
	require.Contains(t, finding.Detail, "no write for 60 s, from 11 s on")
}
