// SPDX-License-Identifier: Apache-2.0

package invariant

import "strings"

var _ = define(Check{
	Key:   "process",
	Name:  "process",
	Doc:   "The system runs to the end without a panic, and every host starts again on what its disk holds.",
	Needs: []Need{needProcess},
}, judgeProcess)

// judgeProcess takes a panic in the process that held the world for one of the
// system under test: a finding, like any other violation.
func judgeProcess(j *judgement, f *Facts, _ *noSettings) string {
	p := f.Process
	if p.Panic != "" {
		first, _, _ := strings.Cut(p.Panic, "\n")
		j.violation("the process ended with the panic %q; its stack is in end.json", first)
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
