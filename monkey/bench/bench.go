// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// Measurement is what a run cost.
type Measurement struct {
	Scenario string
	Verdict  judge.Verdict
	Virtual  time.Duration
	// Simulation is the processor time of the process that held the world, System
	// the part of it that was spent in the kernel, Judging that of this process.
	Simulation, System, Judging time.Duration
	PeakMemory                  int64 // bytes, of the process that held the world
	PageFaults                  int64 // that the kernel served for it, of pages of any size
	// Shares of the areas in the profile, from 0 to 1, and Other what is in none of them.
	Shares []float64
	Other  float64
}

// Speed is virtual seconds for a second of one core, judging included.
func (m *Measurement) Speed() float64 {
	return m.Virtual.Seconds() / (m.Simulation + m.Judging).Seconds()
}

// Measure runs a scenario with a profile of its simulation. Nothing else may be at
// work in this process meanwhile.
func Measure(ctx context.Context, o harness.Options) (*Measurement, error) {
	o.Profile = true
	before, err := ownTime()
	if err != nil {
		return nil, err
	}
	r, err := harness.Run(ctx, o)
	if err != nil {
		return nil, err
	}
	after, err := ownTime()
	if err != nil {
		return nil, err
	}
	var end rundir.End
	if err := rundir.ReadJSON(r.Dir, rundir.EndFile, &end); err != nil {
		return nil, err
	}
	p, err := ReadProfile(filepath.Join(r.Dir, rundir.ProfileFile))
	if err != nil {
		return nil, err
	}
	shares, other := p.shares()
	return &Measurement{
		Scenario: r.Scenario, Verdict: r.Verdict, Virtual: time.Duration(r.VirtualSeconds * float64(time.Second)),
		Simulation: end.CPU, System: end.System, Judging: after - before, PeakMemory: end.PeakMemory, PageFaults: end.PageFaults, Shares: shares, Other: other,
	}, nil
}

// ownTime is the processor time that this process has taken so far.
func ownTime() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, fmt.Errorf("read the processor time of this process: %w", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

// Table writes measurements: a row each, and which areas took the time.
func Table(w io.Writer, ms []*Measurement) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "scenario\tvirtual s\tCPU s\tin the kernel\tjudging\tvirtual/CPU\tpeak MB\tpage faults\tverdict\t\n")
	for _, m := range ms {
		fmt.Fprintf(t, "%s\t%.0f\t%.1f\t%.1f\t%.1f\t%.1f\t%.0f\t%d\t%s\t\n", m.Scenario, m.Virtual.Seconds(), (m.Simulation + m.Judging).Seconds(),
			m.System.Seconds(), m.Judging.Seconds(), m.Speed(), float64(m.PeakMemory)/1e6, m.PageFaults, m.Verdict)
	}
	fmt.Fprint(t, "\nshare of the simulation, inclusive\t")
	for _, m := range ms {
		fmt.Fprintf(t, "%s\t", m.Scenario)
	}
	fmt.Fprintln(t)
	for i, a := range areas {
		fmt.Fprintf(t, "%s\t", a.name)
		for _, m := range ms {
			fmt.Fprintf(t, "%.1f %%\t", 100*m.Shares[i])
		}
		fmt.Fprintln(t)
	}
	fmt.Fprint(t, "other\t")
	for _, m := range ms {
		fmt.Fprintf(t, "%.1f %%\t", 100*m.Other)
	}
	fmt.Fprintln(t)
	return t.Flush()
}
