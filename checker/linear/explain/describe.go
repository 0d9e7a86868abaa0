// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Describe says in a line for people what an operation was.
func Describe(op *history.Op) string {
	var b strings.Builder
	fmt.Fprintf(&b, "client %d %s", op.Client, Action(op))
	if op.Outcome == history.Unknown {
		fmt.Fprintf(&b, ", called at %s, outcome unknown", FormatTime(op.Call))
	} else {
		fmt.Fprintf(&b, ", from %s to %s", FormatTime(op.Call), FormatTime(op.Return))
	}
	if op.Host != "" && (op.By == nil || op.By.Host != op.Host) {
		fmt.Fprintf(&b, ", at %s", op.Host)
	}
	if by := Replica(op); by != "" {
		fmt.Fprintf(&b, ", answered by %s", by)
	}
	if op.Kind.Mutates() && op.Writer != "" {
		fmt.Fprintf(&b, ", as write %s", op.Writer)
	}
	if op.ObservedWriter != "" && op.Kind.Mutates() && op.Outcome == history.OK {
		fmt.Fprintf(&b, ", in place of %s", writeName(op.ObservedWriter))
	} else if op.ObservedWriter != "" && op.Outcome != history.Unknown {
		fmt.Fprintf(&b, ", as %s left it", writeName(op.ObservedWriter))
	}
	return b.String()
}

// Replica names the replica that answered, and says how far it was; empty if
// nothing of that is stated.
func Replica(op *history.Op) string {
	if op.By == nil || *op.By == (history.Replica{}) {
		return ""
	}
	by, name := op.By, op.By.Host
	switch {
	case by.Node != 0 && by.Host != "":
		name = fmt.Sprintf("node %d on %s", by.Node, by.Host)
	case by.Node != 0:
		name = fmt.Sprintf("node %d", by.Node)
	case by.Host == "":
		name = "a replica"
	}
	if by.Term != 0 {
		name += fmt.Sprintf(" in term %d", by.Term)
	}
	if by.Applied != 0 {
		name += fmt.Sprintf(", at applied index %d", by.Applied)
	}
	return name
}

// client names who asked, and who answered if that is stated.
func client(op *history.Op) string {
	if by := Replica(op); by != "" {
		return fmt.Sprintf("client %d (answered by %s)", op.Client, by)
	}
	return fmt.Sprintf("client %d", op.Client)
}

func writeName(name string) string {
	if name == history.InitialWriter {
		return "the initial state"
	}
	return "write " + name
}

// Action says what the operation did, without who and when.
func Action(op *history.Op) string {
	if op.Key == "" {
		return action(op, "the register")
	}
	return action(op, op.Key)
}

// action does so with a name for the key.
func action(op *history.Op, key string) string {
	switch op.Kind {
	case history.Get:
		if op.Outcome != history.OK {
			return "asked for " + key
		}
		return fmt.Sprintf("read %s from %s", op.Observed, key)
	case history.Put:
		return withOutcome(op, fmt.Sprintf("wrote %s to %s", op.Value, key))
	case history.Delete:
		return withOutcome(op, "deleted "+key)
	case history.Append:
		return withOutcome(op, fmt.Sprintf("appended %s to %s", op.Value, key))
	case history.Cas:
		return casAction(op, key)
	case history.Command, history.Query:
		return modelAction(op)
	}
	return objectAction(op, key)
}

// objectAction is for operations on what is no text: what was asked, and what came of it.
func objectAction(op *history.Op, key string) string {
	did := fmt.Sprintf("did %s on %s", op.Kind, key)
	if op.Value.Stated() {
		did = fmt.Sprintf("did %s %s on %s", op.Kind, op.Value, key)
	}
	switch {
	case op.Refuted:
		return did + ", which was refused"
	case op.Outcome == history.OK && op.Observed.Stated():
		return fmt.Sprintf("%s and was answered %s", did, op.Observed)
	}
	return withOutcome(op, did)
}

// modelAction is for models that somebody brought along: what was asked, and
// what was answered.
func modelAction(op *history.Op) string {
	did := fmt.Sprintf("asked for %s", op.Value.Text())
	switch {
	case op.Outcome == history.OK:
		return fmt.Sprintf("%s and was answered %s", did, op.Observed.Text())
	case op.Kind == history.Query:
		return did
	}
	return withOutcome(op, did)
}

func withOutcome(op *history.Op, did string) string {
	switch op.Outcome {
	case history.Unknown:
		return "perhaps " + did
	case history.Fail:
		return "failed, and never " + did
	}
	return did
}

func casAction(op *history.Op, key string) string {
	switch {
	case op.Outcome != history.Fail:
		return withOutcome(op, fmt.Sprintf("changed %s from %s to %s", key, op.Expected, op.Value))
	case op.Observed.Stated():
		return fmt.Sprintf("did not change %s from %s to %s, because it saw %s", key, op.Expected, op.Value, op.Observed)
	case op.Refuted:
		return fmt.Sprintf("did not change %s from %s to %s, because it was not %s", key, op.Expected, op.Value, op.Expected)
	}
	return fmt.Sprintf("failed to change %s from %s to %s", key, op.Expected, op.Value)
}

// FormatTime returns a time for people. Times of a billion and more are taken for nanoseconds
// and shown in seconds, smaller ones as they are. Different times are shown
// differently.
func FormatTime(t int64) string {
	const second = 1_000_000_000
	if t > -second && t < second {
		return strconv.FormatInt(t, 10)
	}
	sign, n := "", uint64(t)
	if t < 0 {
		sign, n = "-", -n
	}
	fraction := fmt.Sprintf("%09d", n%second)
	for len(fraction) > 3 && fraction[len(fraction)-1] == '0' {
		fraction = fraction[:len(fraction)-1]
	}
	return fmt.Sprintf("%s%d.%s s", sign, n/second, fraction)
}
