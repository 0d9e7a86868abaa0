// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"math"
	"slices"
)

// figure is a row of the table.
type figure struct {
	name, unit string
	goal       float64 // 0: none
	atLeast    bool    // more is better; otherwise less
}

var figures = []figure{
	{name: "steady: CPU of the leader", unit: "% of a core", goal: 5},
	{name: "steady: CPU of the two others", unit: "% of a core"},
	{name: "steady: proposed to DrummerDB's log", unit: "MB/min", goal: 1},
	{name: "steady: written to disk by the leader", unit: "MB/min"},
	{name: "decide: nothing changed", unit: "ms"},
	{name: "decide: 1 cluster changed", unit: "ms"},
	{name: "decide: 100 clusters changed", unit: "ms"},
	{name: "decide: in full", unit: "ms"},
	{name: "first full reports, applied", unit: "nodes/s", goal: 200_000, atLeast: true},
	{name: "one-node deltas, applied", unit: "/s", goal: 300_000, atLeast: true},
	{name: "live heap", unit: "B/node", goal: 600},
	{name: "snapshot: save", unit: "s", goal: 1},
	{name: "snapshot: restore", unit: "s", goal: 2},
	{name: "snapshot: size", unit: "MiB", goal: 45},
	{name: "a host of 3,000 nodes dies: all planned", unit: "ms", goal: 100},
	{name: "a host of 3,000 nodes dies: all planned, the first time", unit: "ms"},
	{name: "the fleet attaches for the first time: scheduling", unit: "s"},
	{name: "change of leader: scheduling again", unit: "s", goal: 10},
	{name: "first page of clusters", unit: "ms", goal: 100},
	{name: "first page of nodehosts", unit: "ms", goal: 100},
	{name: "one cluster in full", unit: "ms", goal: 100},
	{name: "wait for all clusters, once", unit: "ms", goal: 100},
	{name: "locate: in process", unit: "/s", goal: 1_000_000, atLeast: true},
	{name: "locate: in process, the first time", unit: "s"},
	{name: "locate: index for that", unit: "B/node"},
	{name: "locate: over gRPC, by 1000 callers", unit: "/s", goal: 50_000, atLeast: true},
	{name: "locate: over gRPC, by 64 callers", unit: "/s"},
	{name: "locate: over gRPC, a call for each, by 64 callers", unit: "/s"},
}

// met says whether a goal was met.
func (f figure) met(value float64) string {
	switch {
	case f.goal == 0:
		return ""
	case f.atLeast == (value >= f.goal) || value == f.goal:
		return "yes"
	default:
		return "NO"
	}
}

// printTable prints the median of the samples of each size, and the exponent by
// which a figure grows from the smallest to the largest.
func printTable(w io.Writer, samples map[int][]map[string]float64) {
	fmt.Fprint(w, "| what | unit | goal |")
	for _, nodes := range sizes {
		fmt.Fprintf(w, " %d nodes |", nodes)
	}
	fmt.Fprint(w, " met | exponent |\n|---|---|---:|---:|---:|---:|---|---:|\n")
	for _, f := range figures {
		var values []float64
		for _, nodes := range sizes {
			if v, ok := median(samples[nodes], f.name); ok {
				values = append(values, v)
			}
		}
		if len(values) < len(sizes) {
			continue
		}
		goal := "–"
		if f.goal != 0 {
			goal = number(f.goal)
		}
		fmt.Fprintf(w, "| %s | %s | %s |", f.name, f.unit, goal)
		for _, v := range values {
			fmt.Fprintf(w, " %s |", number(v))
		}
		first, last := values[0], values[len(values)-1]
		fmt.Fprintf(w, " %s | %s |\n", f.met(last), exponent(first, last, float64(sizes[len(sizes)-1])/float64(sizes[0])))
	}
}

func median(samples []map[string]float64, name string) (float64, bool) {
	var values []float64
	for _, s := range samples {
		if v, ok := s[name]; ok {
			values = append(values, v)
		}
	}
	if len(values) == 0 {
		return 0, false
	}
	slices.Sort(values)
	return values[len(values)/2], true
}

// exponent is x in 'last is first times growth to the power of x'.
func exponent(first, last, growth float64) string {
	if first <= 0 || last <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", math.Log(last/first)/math.Log(growth))
}

// number has three digits that count.
func number(v float64) string {
	switch {
	case v >= 100:
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	case v >= 0.1:
		return fmt.Sprintf("%.2f", v)
	default:
		return fmt.Sprintf("%.4f", v)
	}
}
