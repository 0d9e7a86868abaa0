// SPDX-License-Identifier: Apache-2.0

package engine

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/exact"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/sim/bubble"
)

// Look is how an exact run is looked into. None of it changes a decision of the
// run. Times are since its start, on its own clock.
type Look struct {
	// Until is when the process ends, after all that happens at that instant;
	// 0: when the run does.
	Until time.Duration `json:"until_ns,omitempty"`
	// Subjects are dumped into the run's looks.txt at each of the instants At; see
	// sim.ParseSubject.
	Subjects []string        `json:"subjects,omitempty"`
	At       []time.Duration `json:"at_ns,omitempty"`
	// Log is the level of the logs of Dragonboat, Drummer and the agents; empty:
	// as in any run.
	Log string `json:"log,omitempty"`
}

// Check reports what is wrong with it.
func (l Look) Check() error {
	for _, text := range l.Subjects {
		if _, err := sim.ParseSubject(text); err != nil {
			return err
		}
	}
	if (len(l.Subjects) > 0) != (len(l.At) > 0) {
		return fmt.Errorf("found %d subjects to be dumped at %d instants, expected both or none", len(l.Subjects), len(l.At))
	}
	for _, at := range append([]time.Duration{l.Until}, l.At...) {
		if at < 0 || l.Until > 0 && at > l.Until {
			return fmt.Errorf("%s is no instant to look at, expected one since the start of the run and not after its end", at)
		}
	}
	_, err := l.level()
	return err
}

// begin has the run looked at. flush writes down what is recorded so far, without
// waiting for anybody.
func (l Look) begin(dir string, w *sim.World, flush func()) error {
	if len(l.At) == 0 && l.Until == 0 {
		return nil
	}
	out, err := os.Create(filepath.Join(dir, rundir.LooksFile))
	if err != nil {
		return fmt.Errorf("look into the run: %w", err)
	}
	instants := l.At
	if l.Until > 0 {
		instants = append(instants[:len(instants):len(instants)], l.Until)
	}
	dumps := len(l.At)
	return exact.Look(instants, func(at time.Duration) {
		if dumps > 0 { // the end is the last instant
			dumps--
			if err := l.dump(out, w, at); err != nil {
				fmt.Fprintln(os.Stderr, "look into the run:", err)
			}
		}
		if dumps == 0 && l.Until == at {
			flush()
			bubble.CutShort()
		}
	})
}

// dump writes what the world holds at an instant.
func (l Look) dump(out io.Writer, w *sim.World, at time.Duration) error {
	s := exact.Sofar()
	if _, err := fmt.Fprintf(out, "at %s, after %d decisions, fingerprint %016x\n\n", at, s.Decisions, s.Fingerprint); err != nil {
		return err
	}
	for _, text := range l.Subjects {
		subject, err := sim.ParseSubject(text)
		if err != nil {
			return err
		}
		if err := w.Look(out, subject, at); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(out); err != nil {
			return err
		}
	}
	return nil
}
