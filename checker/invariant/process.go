// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"strings"
)

var _ = define(Check{
	Key:   "process",
	Name:  "process",
	Doc:   "The system runs to the end without a panic, and every host starts again on what its disk holds. A call by which Dragonboat breaks its contract with a state machine (twice Close, an update after it, an entry again, a snapshot that is prepared and never saved) is such a panic.",
	Needs: []Need{needProcess},
}, judgeProcess)

// judgeProcess takes a panic in the process that held the world for one of the
// system under test: a finding, like any other violation.
func judgeProcess(j *judgement, f *Facts, _ *noSettings) string {
	p := f.Process
	if p.Panic != "" {
		first, _, _ := strings.Cut(p.Panic, "\n")
		text := fmt.Sprintf("the process ended with the panic %q", first)
		if p.Where != "" {
			text += " " + p.Where
		}
		if p.Before != "" {
			text += "; " + p.Before
		}
		j.violation("%s; its stack is in end.json", text)
	}
	if p.Exited != 0 {
		j.violation("the process ended itself with exit status %d, as os.Exit and log.Fatal do; what it wrote before is in logs/process.log", p.Exited)
	}
	for _, all := range [][]string{p.NotBooted, p.Hidden} {
		for _, what := range all {
			j.violation("%s", what)
		}
	}
	switch {
	case p.Cut == "":
		return "the system ran to the end without a panic"
	case f.Stopped:
		return p.Cut
	}
	j.inconclusive("%s", p.Cut)
	return ""
}
