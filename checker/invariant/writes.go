// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// WritesPresent: what a key holds at the end is what an acknowledged write, or
// one of unknown outcome, left there, and no acknowledged write that came
// after is missing. It looks at the end only; everything between is the matter
// of linearizability.
func WritesPresent(f *Facts, ops []history.Op) Finding {
	j := judgement{name: NameWrites}
	if len(f.Finals) == 0 {
		j.inconclusive("no key was read after healing")
		return j.finding("")
	}
	byKey := make(map[string][]*history.Op)
	for i := range ops {
		if op := &ops[i]; op.Outcome != history.Fail && op.Kind.Mutates() {
			byKey[op.Key] = append(byKey[op.Key], op)
		}
	}
	writes := 0
	for _, final := range f.Finals {
		writes += len(byKey[final.Key])
		judgeFinal(&j, final, byKey[final.Key])
	}
	return j.finding("%d keys hold what %d writes left there", len(f.Finals), writes)
}

func judgeFinal(j *judgement, final Final, writes []*history.Op) {
	value, told := history.Absent, "nothing"
	if final.Value != nil {
		value = history.String(*final.Value)
		told = value.String()
	}
	appended := false
	for _, w := range writes {
		appended = appended || w.Kind == history.Append
	}
	if appended {
		judgeAppended(j, final, told, writes)
		return
	}
	// The writer must not be certain to be overwritten.
	latestCall, overwriter := int64(0), (*history.Op)(nil)
	for _, w := range writes {
		if w.Outcome == history.OK && w.End() < final.At && (overwriter == nil || w.Call > latestCall) {
			latestCall, overwriter = w.Call, w
		}
	}
	if value.IsAbsent() && overwriter == nil {
		return
	}
	written := false
	for _, w := range writes {
		if leaves(w) != value {
			continue
		}
		written = true
		if overwriter == nil || w == overwriter || w.End() >= latestCall {
			return
		}
	}
	switch {
	case overwriter != nil && (written || value.IsAbsent()):
		j.violation("key %s holds %s at the end, although client %d's later %s of %s was acknowledged at %s",
			final.Key, told, overwriter.Client, overwriter.Kind, leaves(overwriter), seconds(overwriter.Return))
	default:
		j.violation("key %s holds %s at the end, which nobody wrote", final.Key, told)
	}
}

// leaves returns what a write leaves in its key.
func leaves(w *history.Op) history.Value {
	if w.Kind == history.Delete {
		return history.Absent
	}
	if w.Value.IsAbsent() {
		return w.Value
	}
	return history.String(w.Value.Text()) // a Final holds texts
}

// judgeAppended looks for acknowledged appends that nothing can have
// overwritten, and whose text is not there.
func judgeAppended(j *judgement, final Final, told string, writes []*history.Op) {
	for _, a := range writes {
		if a.Kind != history.Append || a.Outcome != history.OK || a.End() >= final.At {
			continue
		}
		overwritten := false
		for _, w := range writes {
			if w.Kind != history.Append && w.End() >= a.Call && w.Call < final.At {
				overwritten = true
				break
			}
		}
		if !overwritten && (final.Value == nil || !strings.Contains(*final.Value, a.Value.Text())) {
			j.violation("key %s holds %s at the end, without %s that client %d appended, acknowledged at %s",
				final.Key, told, a.Value, a.Client, seconds(a.Return))
		}
	}
}
