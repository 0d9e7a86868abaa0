// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

func TestAReplicaIsNamedAsFarAsItIsKnown(t *testing.T) {
	for want, by := range map[string]*history.Replica{
		"": nil,
		"node 4 on h2 in term 9, at applied index 512": {Host: "h2", Node: 4, Term: 9, Applied: 512},
		"h2, at applied index 512":                     {Host: "h2", Applied: 512},
		"node 4 in term 9":                             {Node: 4, Term: 9},
		"a replica in term 9":                          {Term: 9},
	} {
		op := &history.Op{Client: 3, Kind: history.Get, Key: "k", Observed: history.Absent, Call: 1, Return: 2, Outcome: history.OK, Host: "h1", By: by}
		require.Equal(t, want, Replica(op))
		if want != "" {
			want = ", answered by " + want
		}
		require.Equal(t, "client 3 read nothing from k, from 1 to 2, at h1"+want, Describe(op))
	}
}

// Both sides of a contradiction name the replica that answered.
func TestASentenceNamesTheReplicasThatAnswered(t *testing.T) {
	core := []history.Op{
		{Client: 1, Kind: history.Put, Key: "k", Value: history.String("a"), Call: 1, Return: 2, Outcome: history.OK, By: &history.Replica{Host: "h1", Node: 1, Term: 2, Applied: 7}},
		{Client: 2, Kind: history.Get, Key: "k", Observed: history.Absent, Call: 3, Return: 4, Outcome: history.OK, By: &history.Replica{Host: "h3", Node: 3, Term: 2, Applied: 6}},
	}
	require.Equal(t, `client 2 (answered by node 3 on h3 in term 2, at applied index 6) read nothing from k at 4, `+
		`but client 1 (answered by node 1 on h1 in term 2, at applied index 7) wrote "a" to it and was done at 2, before it was called at 3`, Sentence(core, nil))
}
