// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"
	"time"
)

var deterministic = check{
	name:  "deterministic",
	kinds: allKinds,
	contract: "Update is deterministic: what it does and answers depends on the state and on the command alone, " +
		"so that replicas which apply the same log hold the same state. The clock, random numbers, the order of a map, " +
		"addresses, the ID of the node and variables that replicas share are none of its business.",
	advice: "Look at what the command of this entry reads besides the state. Put the time and random numbers into the command, " +
		"when it is proposed. Go through a map in the order of its sorted keys. If only the representation differs and not the state, " +
		"implement GetHash or set Config.Digest; if answers come in any order, sort them or ask other queries.",
	run: func(t *trial) {
		results, after := t.reference()
		for n := range replicasCompared {
			t.compareEach(fmt.Sprintf("replica %d of the same log", n+2), results, after, nil)
		}
		t.inAnotherTime(func() {
			t.compareEach("a replica on a clock that begins in 2000 and stands at another time for each entry", results, after, func() { time.Sleep(betweenEntries) })
		})
	},
}

const (
	// replicasCompared is how many replicas apply the log besides the first.
	replicasCompared = 3
	// betweenEntries is how far the clock goes from entry to entry where it is
	// virtual: no whole number of seconds, minutes, hours or days.
	betweenEntries = 26*time.Hour + 17*time.Minute + 3*time.Second + 123456789*time.Nanosecond
)

// compareEach applies the log to another replica and compares it with the first
// one after each entry, so that what is reported is the first that differs.
func (t *trial) compareEach(name string, results []result, after []state, between func()) {
	r := t.start(name)
	defer r.discard()
	if d := after[0].difference("the first replica", r.state(), name); d != "" {
		t.fail("Two replicas differ before they have applied anything.\n%s", d)
	}
	for i := range t.log {
		if between != nil {
			between()
		}
		got := r.apply(i + 1)[0]
		if want := results[i].text; got.text != want {
			a, b := excerpts(want, got.text)
			t.fail("Entry %d is answered differently by two replicas of the same log.\nthe first replica: %s\n%s: %s", i+1, a, name, b)
		}
		if d := after[i+1].difference("the first replica", r.state(), name); d != "" {
			t.fail("Entry %d makes different states of two replicas of the same log.\n%s", i+1, d)
		}
	}
}
