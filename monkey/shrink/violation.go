// SPDX-License-Identifier: Apache-2.0

package shrink

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// Violation identifies what a check found, so that it is known again in the
// result of another run.
type Violation struct {
	Check string
	// Key is the key it is on, such as 14/k4; empty for a check that is about
	// no key.
	Key string
	// Clusters are the Raft clusters that the finding names, in that order.
	Clusters []uint64
	// Panic is the message of the panic that ended the process, if one did.
	Panic string
	// Anywhere: the same check on any key, in any cluster, is the same violation. The
	// operations of a test's own are drawn anew with every removal, so that it would
	// be luck if the same key had it again.
	Anywhere bool
}

// String names the violation for people.
func (v Violation) String() string {
	switch {
	case v.Anywhere && v.Panic == "":
		return v.Check
	case v.Key != "":
		return fmt.Sprintf("%s on %s", v.Check, v.Key)
	case v.Panic != "":
		first, _, _ := strings.Cut(v.Panic, "\n")
		return fmt.Sprintf("%s: panic %q", v.Check, first)
	case len(v.Clusters) > 0:
		return fmt.Sprintf("%s in cluster %d", v.Check, v.Clusters[0])
	}
	return v.Check
}

// numbers are what may differ between two panics of one cause: addresses,
// indexes, ids.
var numbers = regexp.MustCompile(`0x[0-9a-f]+|[0-9]+`)

// Is reports whether v, found in some run, is the violation that is looked for:
// the same check on the same key or, where there is none, in the first cluster
// that target names, unless that may be anywhere; or by the same panic but for its
// numbers.
func (v Violation) Is(target Violation) bool {
	mask := func(s string) string { return numbers.ReplaceAllString(s, "#") }
	switch {
	case target.Anywhere:
		return v.Check == target.Check && mask(v.Panic) == mask(target.Panic)
	case v.Check != target.Check || v.Key != target.Key || mask(v.Panic) != mask(target.Panic):
		return false
	case target.Key != "" || target.Panic != "" || len(target.Clusters) == 0:
		return true
	}
	return slices.Contains(v.Clusters, target.Clusters[0])
}

// cluster is the Raft cluster that the violation is in; 0: none is named.
func (v Violation) cluster() uint64 {
	if len(v.Clusters) == 0 {
		return 0
	}
	return v.Clusters[0]
}
