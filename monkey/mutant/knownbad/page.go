// SPDX-License-Identifier: Apache-2.0

package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/monkey/mutant"
)

// writePage writes the page about all results.
func writePage(w io.Writer, results *results) error {
	var b strings.Builder
	fmt.Fprintf(&b, preface, strings.Join(general, ", "), strings.Join(drummers, ", "))
	total, found, earlier, times := 0, 0, 0, []float64(nil)
	for _, place := range []mutant.Place{mutant.InDragonboat, mutant.InWorld, mutant.InClients, mutant.InDrummer} {
		fmt.Fprintf(&b, "\n## %s\n\n| mutant | breaks | found | by | after | names | strikes |\n|---|---|---|---|---|---|---|\n", strings.ToUpper(string(place[:1]))+string(place[1:]))
		for _, m := range mutant.All() {
			all := results.of(m.Name)
			if m.Place != place || len(all) == 0 {
				continue
			}
			row := summarize(all)
			total++
			if row.found > 0 {
				found++
				times = append(times, row.virtual)
			}
			mark := ""
			if results.earlier(m.Name) {
				mark, earlier = " \\*", earlier+1
			}
			fmt.Fprintf(&b, "| `%s`%s | %s; bites: %s | %d of %d | %s | %s | %s | %d |\n",
				m.Name, mark, m.Breaks, m.Bites, row.found, len(all), row.by, row.after(), strings.Join(row.names, ", "), row.strikes)
		}
	}
	alarms, controls := 0, 0
	for _, t := range results.of(none.Name) {
		controls += len(t.runs)
		if t.found != nil {
			alarms++
		}
	}
	slices.Sort(times)
	fmt.Fprintf(&b, "\n## In short\n\nOf %d mutants %d were tried so far, in %d runs, and %d of them were found with at least one seed", len(mutant.All()), total, len(results.all), found)
	if len(times) > 0 {
		fmt.Fprintf(&b, ", after %.1f virtual minutes in the median", times[len(times)/2]/60)
	}
	if earlier > 0 {
		fmt.Fprintf(&b, "; %d of them (\\*) were tried with an earlier state of the program and of its scenarios", earlier)
	}
	b.WriteString(". The same program with no mutant on, as a control: ")
	if controls == 0 {
		b.WriteString("not run yet.\n")
	} else {
		fmt.Fprintf(&b, "%d false alarms in %d runs.\n", alarms, controls)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// row is what all seeds of a mutant say together.
type row struct {
	found         int
	tried         []string // scenarios in which it was not found
	by            string   // scenarios and checks, the most frequent first
	virtual, wall float64
	names         []string
	strikes       uint64
}

func (r *row) after() string {
	if r.found == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f min, %.0f s", r.virtual/60, r.wall)
}

func summarize(all []*trial) row {
	var out row
	by, names := map[string]int{}, map[string]bool{}
	var virtual, wall []float64
	for _, t := range all {
		out.strikes += t.strikes
		if t.found == nil {
			for _, x := range t.runs {
				if !slices.Contains(out.tried, x.Scenario) {
					out.tried = append(out.tried, x.Scenario)
				}
			}
			continue
		}
		out.found++
		by[t.found.Scenario+": "+strings.Join(t.found.Checks, ", ")]++
		for _, n := range t.found.Names {
			names[n] = true
		}
		virtual, wall = append(virtual, t.virtual), append(wall, t.wall)
	}
	slices.Sort(virtual)
	slices.Sort(wall)
	if out.found > 0 {
		out.virtual, out.wall = virtual[len(virtual)/2], wall[len(wall)/2]
	}
	out.by = strings.Join(slices.SortedFunc(maps.Keys(by), func(a, b string) int {
		return cmp.Or(cmp.Compare(by[b], by[a]), strings.Compare(a, b))
	}), "; ")
	if out.found == 0 {
		out.by = "not in " + strings.Join(out.tried, ", ")
	}
	for _, c := range culprits {
		if names[c.what] {
			out.names = append(out.names, c.what)
		}
	}
	return out
}

const preface = `# Known bad

What the monkey catches of bugs that were planted on purpose: those of ` + "`monkey/mutant`" + `, in Dragonboat, in the simulation's storage and transport, in state machines and clients, and in Drummer. The page is made by

` + "```" + `
make known-bad                                             # all, ten seeds each: hours; goes on where it was
go run ./monkey/mutant/knownbad -seeds 1 -only vote        # some of them, one seed
` + "```" + `

Each mutant is on in the scenarios that come along, as they are, one after the other until one of them ends as a violation: %s. Those of Drummer are on in %s. *After* is the median of the virtual and of the wall time of all these runs up to the find, on a machine of two cores that did other things, too. *Names* is what of the culprit the messages name. *Strikes* is how often a mutant made a difference, at least, in all runs together: 0 means that it never had an occasion. Where a mutant is not in the table nobody has tried it with the program at hand.
`
