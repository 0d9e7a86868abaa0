// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"fmt"
	"strings"
	"time"
)

// String says what happened, for people.
func (p PhaseBegan) String() string { return "the phase " + string(p.Phase) + " begins" }

// String says what happened, for people.
func (i InjectionBegan) String() string {
	s := fmt.Sprintf("%d: %s of %s", i.ID, i.Fault, strings.Join(i.Hosts, ", "))
	if i.Forever {
		s += " forever"
	}
	if i.Drawn != "" {
		s += " " + i.Drawn
	}
	if i.Waited != "" {
		s += fmt.Sprintf(" (planned for %s; %s)", i.Planned, i.Waited)
	}
	return s
}

// String says what happened, for people.
func (i InjectionEnded) String() string { return fmt.Sprintf("%d: over", i.ID) }

// String says what happened, for people.
func (i InjectionSkipped) String() string {
	return fmt.Sprintf("%d: %s of %s, planned for %s: %s", i.ID, i.Fault, i.Target, i.Planned, i.Reason)
}

// String says what happened, for people.
func (b Booted) String() string { return b.Host }

// String says what happened, for people.
func (b BootFailed) String() string { return b.Host + ": " + b.Error }

// String says what happened, for people.
func (d DiskRefused) String() string { return d.Host + ": " + d.Error }

// String says what happened, for people.
func (v Violated) String() string { return fmt.Sprintf("cluster %d: %s", v.Cluster, v.Text) }

// String says what happened, for people.
func (o OperatorActed) String() string { return o.Action + ": " + o.Text }

// String says what happened, for people.
func (o OperatorFailed) String() string { return o.Action + ": " + o.Error }

// String says what happened, for people.
func (l LeaderAnnounced) String() string {
	switch {
	case l.Leads():
		return fmt.Sprintf("cluster %d: node %d on %s leads in term %d", l.Cluster, l.Node, l.Host, l.Term)
	case l.Leader == 0:
		return fmt.Sprintf("cluster %d: node %d on %s knows no leader in term %d", l.Cluster, l.Node, l.Host, l.Term)
	}
	return fmt.Sprintf("cluster %d: node %d on %s follows node %d in term %d", l.Cluster, l.Node, l.Host, l.Leader, l.Term)
}

// String says what happened, for people.
func (d Decided) String() string {
	if d.Request == "" {
		return d.Event + ": " + d.Text
	}
	return fmt.Sprintf("%s, %s: %s", d.Event, d.Request, d.Text)
}

// String says what happened, for people.
func (r ClusterRepaired) String() string {
	return fmt.Sprintf("cluster %d: %s after %s", r.Cluster, r.How, r.Took.Round(time.Millisecond))
}

// String says what happened, for people.
func (d Diverged) String() string {
	return fmt.Sprintf("cluster %d: nodes %d and %d differ at index %d: %s", d.Cluster, d.Node, d.Other, d.Index, d.Entry)
}

// String says what happened, for people.
func (b RaftBroken) String() string {
	return fmt.Sprintf("cluster %d: %s: node %d in term %d", b.Cluster, b.Kind, b.Node, b.Term)
}

// String says what happened, for people.
func (e DrummerErred) String() string { return fmt.Sprintf("%s: %s", e.Check, e.Text) }

// String says what happened, for people.
func (q QuorumLost) String() string { return fmt.Sprintf("cluster %d", q.Cluster) }

// String says what happened, for people.
func (q QuorumRegained) String() string { return fmt.Sprintf("cluster %d", q.Cluster) }
