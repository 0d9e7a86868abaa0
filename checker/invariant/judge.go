// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// The names of the checks.
const (
	NameDigests    = "replica digests"
	NameDivergence = "divergence"
	NameLog        = "log agreement"
	NameLeaders    = "one leader a term"
	NameMembership = "membership agreement"
	NameWrites     = "acknowledged writes present"
	NamePicture    = "Drummer's picture"
	NameZombies    = "no zombie"
	NameLiveness   = "liveness after healing"
	NameRepair     = "repair time"
	NameStall      = "write stall"
	NameLogLines   = "log patterns"
	NameEvidence   = "evidence"
)

// Judge runs every check, always in the same order. ops is the history of the
// run.
func Judge(f *Facts, ops []history.Op, l Limits) []Finding {
	return []Finding{
		Digests(f), DivergencePoint(f), LogAgreement(f), LeaderPerTerm(f), MembershipAgreement(f),
		WritesPresent(f, ops), Picture(f), Zombies(f), Liveness(f),
		RepairTime(f, l), WriteStall(f, l), LogPatterns(f, l), Evidence(f, ops, l),
	}
}

// judgement collects what a check finds wrong or can't tell, and makes the
// finding of it.
type judgement struct {
	name           string
	wrong, unclear []string
}

func (j *judgement) violation(format string, args ...any) {
	j.wrong = append(j.wrong, fmt.Sprintf(format, args...))
}

func (j *judgement) inconclusive(format string, args ...any) {
	j.unclear = append(j.unclear, fmt.Sprintf(format, args...))
}

// needClusters says so if nobody recorded which clusters there should be: then
// what is missing can't be missed.
func (j *judgement) needClusters(f *Facts) bool {
	if len(f.Clusters) == 0 {
		j.inconclusive("which clusters there are was not recorded")
	}
	return len(f.Clusters) > 0
}

// inner returns the map at k of a map of maps, and makes it if need be.
func inner[K1, K2 comparable, V any](m map[K1]map[K2]V, k K1) map[K2]V {
	if m[k] == nil {
		m[k] = make(map[K2]V)
	}
	return m[k]
}

// maxTold is how many of the things that are wrong a finding tells.
const maxTold = 5

// finding returns a violation if anything is wrong, else inconclusive if
// anything is unclear, else pass with what was looked at.
func (j *judgement) finding(format string, args ...any) Finding {
	f := Finding{Name: j.name, Verdict: Pass, Detail: fmt.Sprintf(format, args...)}
	told := j.wrong
	switch {
	case len(j.wrong) > 0:
		f.Verdict = Violation
	case len(j.unclear) > 0:
		f.Verdict, told = Inconclusive, j.unclear
	default:
		return f
	}
	more := ""
	if len(told) > maxTold {
		more = fmt.Sprintf("; and %d more", len(told)-maxTold)
		told = told[:maxTold]
	}
	f.Detail = strings.Join(told, "; ") + more
	return f
}

// sortedKeys returns the keys of a map in order.
func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	return slices.Sorted(maps.Keys(m))
}

// seconds tells a span of nanoseconds, to the millisecond.
func seconds(ns int64) string {
	return strconv.FormatFloat(math.Round(float64(ns)/1e6)/1e3, 'f', -1, 64) + " s"
}
