// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

// Broken is an invariant that somebody brought along, and where it did not hold.
type Broken struct {
	Name string `json:"name"`
	// Cluster and Node say of which replica, Host where that ran; Node is 0 for an
	// invariant of answers.
	Cluster uint64 `json:"cluster"`
	Node    uint64 `json:"node,omitempty"`
	Host    string `json:"host,omitempty"`
	Text    string `json:"text"` // of the error that it returned
}

// Brought is what came of the invariants that somebody brought along.
type Brought struct {
	Broken []Broken `json:"broken"`
	// Replicas and Answers count what was looked at.
	Replicas int   `json:"replicas"`
	Answers  int64 `json:"answers"`
}

var _ = define(Check{
	Key:     "invariants",
	Name:    "invariants",
	Doc:     "The invariants that a test brings along hold for every answer, and after healing for every replica.",
	Applies: func(f *Facts) bool { return f.Invariants != nil },
}, judgeInvariants)

func judgeInvariants(j *judgement, f *Facts, _ *noSettings) string {
	for _, b := range f.Invariants.Broken {
		where := fmt.Sprintf("cluster %d", b.Cluster)
		if b.Node != 0 {
			where += fmt.Sprintf(", node %d on %s", b.Node, b.Host)
		}
		j.violation("%s: %s: %s", where, b.Name, b.Text)
	}
	if f.Invariants.Replicas == 0 && f.Invariants.Answers == 0 {
		j.inconclusive("nothing was looked at: no replica and no answer")
	}
	return fmt.Sprintf("they hold for %d answers and %d replicas", f.Invariants.Answers, f.Invariants.Replicas)
}
