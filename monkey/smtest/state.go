// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// result is what Update returned for an entry, as it was then.
type result struct {
	text string
	kept sm.Result // as the state machine returned it
}

func resultText(r sm.Result) string {
	if r.Data == nil {
		return fmt.Sprintf("Value %d, no Data", r.Value)
	}
	return fmt.Sprintf("Value %d, Data %q", r.Value, r.Data)
}

// state is what can be seen of a replica's state.
type state struct {
	digest  string // empty where states are compared by their answers only
	answers []answer
}

// answer is what Lookup returned for a query, as text.
type answer struct{ query, text string }

// difference describes where two states differ; empty: nowhere.
func (s state) difference(name string, other state, otherName string) string {
	for i, a := range s.answers {
		if b := other.answers[i]; a.text != b.text {
			x, y := excerpts(a.text, b.text)
			return fmt.Sprintf("to the query %s\n%s answers: %s\n%s answers: %s", excerpt(a.query), name, x, otherName, y)
		}
	}
	if s.digest != other.digest {
		x, y := excerpts(s.digest, other.digest)
		return fmt.Sprintf("%s: %s\n%s: %s", name, x, otherName, y)
	}
	return ""
}
