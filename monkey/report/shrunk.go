// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/shrink"
)

// ShrunkRow is a line of the table of what was removed from a scenario.
type ShrunkRow struct{ Name, Before, After string }

// Shrunk makes the table of what was removed. What there was none of is left out.
func Shrunk(before, after shrink.Size) []ShrunkRow {
	number := func(name string, of func(shrink.Size) int) ShrunkRow {
		return ShrunkRow{name, Count(int64(of(before))), Count(int64(of(after)))}
	}
	operations := number("operations", func(s shrink.Size) int { return s.Operations })
	if before.Operations > 0 && after.Operations == 0 {
		operations.After = "drawn"
	}
	length := func(s shrink.Size) string { return s.Length.Round(time.Millisecond).String() }
	var rows []ShrunkRow
	for _, r := range []ShrunkRow{
		number("faults", func(s shrink.Size) int { return s.Faults }),
		number("operator's actions", func(s shrink.Size) int { return s.Actions }),
		operations,
		number("clients", func(s shrink.Size) int { return s.Clients }),
		number("clusters", func(s shrink.Size) int { return s.Clusters }),
		number("members of each", func(s shrink.Size) int { return s.Members }),
		number("NodeHosts", func(s shrink.Size) int { return s.NodeHosts }),
		number("Drummer servers", func(s shrink.Size) int { return s.Drummers }),
		number("settings", func(s shrink.Size) int { return s.Settings }),
		{"time with clients", length(before), length(after)},
	} {
		if r.Before != "0" || r.After != "0" {
			rows = append(rows, r)
		}
	}
	return rows
}

// ShrunkTable writes that table for people, below the violation that it is about.
func ShrunkTable(w io.Writer, violation string, before, after shrink.Size) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "\n%s\n\n", violation)
	fmt.Fprint(t, "\tbefore\tafter\n")
	for _, row := range Shrunk(before, after) {
		fmt.Fprintf(t, "%s\t%s\t%s\n", row.Name, row.Before, row.After)
	}
	return t.Flush()
}
