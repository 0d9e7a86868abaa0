// SPDX-License-Identifier: Apache-2.0

package report

import (
	"fmt"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/draw"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

// strike is a fault as it was carried out.
type strike struct {
	fault    string
	hosts    []string
	from, to time.Duration // to is the end of the run for one that did not end
	forever  bool
}

// strikes lists the faults of a run in the order in which they began.
func strikes(events []rundir.Event, end time.Duration) []strike {
	ends := map[int]time.Duration{}
	for _, ev := range events {
		if ev.Kind == rundir.FaultEnd {
			ends[ev.ID] = ev.At
		}
	}
	var all []strike
	for _, ev := range events {
		if ev.Kind != rundir.FaultBegin {
			continue
		}
		to, ended := ends[ev.ID]
		if !ended {
			to = end
		}
		all = append(all, strike{ev.Fault, ev.Hosts, ev.At, to, ev.Forever})
	}
	return all
}

// class is the CSS classes of what is drawn of a fault.
func (s strike) class() string {
	if s.forever {
		return s.fault + " for-ever"
	}
	return s.fault
}

// tell says what happened to a host.
func (s strike) tell(host string) string {
	if s.forever {
		return fmt.Sprintf("%s of %s at %s, for ever", s.fault, host, clock(s.from))
	}
	return fmt.Sprintf("%s of %s at %s for %s", s.fault, host, clock(s.from), (s.to - s.from).Round(time.Millisecond))
}

// band is the fault behind a drawing of operations, whose times are on the
// same clock as the events'.
func (s strike) band() draw.Band {
	b := draw.Band{From: int64(s.from), To: int64(s.to), Kind: s.fault, Name: fmt.Sprintf("%s of %s", s.fault, strings.Join(s.hosts, ", "))}
	if s.forever {
		b.To, b.Kind, b.Name = history.Never, s.class(), b.Name+" for ever"
	}
	return b
}
