// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// TargetClass is a set of hosts that a fault draws its targets from.
type TargetClass string

// The classes of target.
const (
	AnyHost     TargetClass = "host" // Drummers and NodeHosts
	AnyNodeHost TargetClass = "nodehost"
	AnyDrummer  TargetClass = "drummer"

	DrummerLeader   TargetClass = "drummer-leader"
	DrummerFollower TargetClass = "drummer-follower"
	// Of a Raft cluster that is drawn, or given, the NodeHosts that play a part in
	// it when the fault strikes.
	ClusterLeader   TargetClass = "cluster-leader"
	ClusterFollower TargetClass = "cluster-follower"
	ClusterMember   TargetClass = "cluster-member"
	// Joining is a NodeHost on which a new member of a cluster is catching up.
	Joining TargetClass = "joining"
	// There is the host on which the moment of the fault's 'when' came.
	There TargetClass = "there"
)

// Amount is how many hosts of a class are struck at once. The zero value is one.
type Amount struct {
	// Word is all, each, minority or majority; otherwise it is empty.
	Word string
	// From Min to Max hosts, drawn; 0: the amount is none of numbers.
	Min, Max int
	// Share of them, rounded, and at least one; 0: the amount is no share.
	Share Percent
}

// The words for amounts.
const (
	All      = "all"
	Each     = "each" // one after the other, see Fault.Gap
	Minority = "minority"
	Majority = "majority"
)

// Number returns how many of n hosts are meant, given a random number; at least
// one if there is any.
func (a Amount) Number(n int, random uint64) int {
	k := 1
	switch {
	case a.Word == All || a.Word == Each:
		k = n
	case a.Word == Minority:
		k = (n - 1) / 2
	case a.Word == Majority:
		k = n/2 + 1
	case a.Share > 0:
		k = int(a.Share.Fraction()*float64(n) + 0.5)
	case a.Max > 0:
		k = a.Min + int(random%uint64(a.Max-a.Min+1))
	}
	return max(min(k, n), min(1, n))
}

// String returns the text before the class; empty for one.
func (a Amount) String() string {
	switch {
	case a.Word != "":
		return a.Word
	case a.Share > 0:
		return a.Share.String()
	case a.Max > a.Min:
		return fmt.Sprintf("%d..%d", a.Min, a.Max)
	case a.Max > 0:
		return strconv.Itoa(a.Max)
	}
	return ""
}

// Target says whom a fault strikes: some of a class, or the hosts with certain
// names. It can be compared with ==.
type Target struct {
	Class  TargetClass
	Amount Amount
	// Number is not 0 for the one host with that number (nodehost-3, drummer-1),
	// counted from 1.
	Number int
	// Names are those of two and more hosts, with spaces between.
	Names string
	// Place is a region, a rack or a label that the NodeHosts are in; AnyRegion or
	// AnyRack: one that is drawn; empty: they may be anywhere.
	Place string
	// Cluster is the Raft cluster of a class of ClusterLeader's kind; 0: drawn.
	Cluster uint64
}

// The places that are drawn.
const (
	AnyRegion = "any-region"
	AnyRack   = "any-rack"
)

const (
	hostForm    = `(?:nodehost|drummer)-[1-9][0-9]{0,8}`
	amountForm  = `(?:all|each|minority|majority|[1-9][0-9]{0,3}(?:\.\.[1-9][0-9]{0,3})?|` + percentForm + `) `
	placeForm   = ` in [A-Za-z0-9]+(?:-[A-Za-z0-9]+)*`
	clusterForm = ` of [1-9][0-9]{0,8}`
	targetForm  = hostForm + `(?: ` + hostForm + `)*|(?:` + amountForm + `)?(?:host|drummer|nodehost(?:` + placeForm + `)?|cluster-member(?:` + clusterForm + `)?)` +
		`|cluster-(?:leader|follower)(?:` + clusterForm + `)?|drummer-leader|drummer-follower|joining|there`
)

var (
	targetPattern = regexp.MustCompile(`^(` + targetForm + `)$`)
	namesPattern  = regexp.MustCompile(`^` + hostForm + `(?: ` + hostForm + `)*$`)
)

// IsZero reports whether t is absent.
func (t Target) IsZero() bool { return t == Target{} }

// OfDrummers reports whether all hosts that t may mean are Drummer servers.
func (t Target) OfDrummers() bool {
	if hosts := t.Hosts(); len(hosts) > 0 {
		return !slices.ContainsFunc(hosts, func(h string) bool { return !strings.HasPrefix(h, string(AnyDrummer)) })
	}
	return t.Class == AnyDrummer || t.Class == DrummerLeader || t.Class == DrummerFollower
}

// OfCluster reports whether t means hosts by their part in a Raft cluster that
// Drummer looks after.
func (t Target) OfCluster() bool {
	return t.Class == ClusterLeader || t.Class == ClusterFollower || t.Class == ClusterMember
}

// Hosts lists the names of the hosts that t names; nil if it is a class.
func (t Target) Hosts() []string {
	switch {
	case t.Number > 0:
		return []string{fmt.Sprintf("%s-%d", t.Class, t.Number)}
	case t.Names != "":
		return strings.Fields(t.Names)
	}
	return nil
}

// Named returns the target that means the hosts with those names.
func Named(hosts ...string) (Target, error) {
	var t Target
	err := t.UnmarshalText([]byte(strings.Join(hosts, " ")))
	return t, err
}

// Renumbered returns t with other numbers for the hosts that it names; a host that
// is then named twice is named once.
func (t Target) Renumbered(number func(class TargetClass, number int) int) Target {
	var hosts []string
	for _, name := range t.Hosts() {
		class, n := SplitHost(name)
		if name = fmt.Sprintf("%s-%d", class, number(class, n)); !slices.Contains(hosts, name) {
			hosts = append(hosts, name)
		}
	}
	if other, err := Named(hosts...); err == nil {
		return other
	}
	return t
}

// SplitHost splits the name of a host into its class and number.
func SplitHost(name string) (TargetClass, int) {
	class, digits, _ := strings.Cut(name, "-")
	number, _ := strconv.Atoi(digits)
	return TargetClass(class), number
}

// String returns the text that reads back as t.
func (t Target) String() string {
	if hosts := t.Hosts(); len(hosts) > 0 {
		return strings.Join(hosts, " ")
	}
	text := string(t.Class)
	if amount := t.Amount.String(); amount != "" {
		text = amount + " " + text
	}
	if t.Place != "" {
		text += " in " + t.Place
	}
	if t.Cluster != 0 {
		text += fmt.Sprintf(" of %d", t.Cluster)
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Target) UnmarshalText(text []byte) error {
	if !targetPattern.Match(text) {
		return fmt.Errorf("found %q, expected nodehost, drummer or host, perhaps with an amount (2 nodehost, 40%% nodehost, all drummer) and a place (nodehost in eu), "+
			"hosts such as nodehost-3 or 'nodehost-1 drummer-2', cluster-leader, cluster-follower, cluster-member, drummer-leader, drummer-follower, joining or there", shorten(string(text)))
	}
	if namesPattern.Match(text) {
		return t.readNames(strings.Fields(string(text)))
	}
	var read Target
	rest := string(text)
	if before, cluster, ok := strings.Cut(rest, " of "); ok {
		read.Cluster, _ = strconv.ParseUint(cluster, 10, 64) // the pattern says that it is one
		rest = before
	}
	rest, read.Place, _ = strings.Cut(rest, " in ")
	if amount, class, ok := strings.Cut(rest, " "); ok {
		if err := read.Amount.read(amount); err != nil {
			return err
		}
		rest = class
	}
	read.Class = TargetClass(rest)
	if a := read.Amount; a.Word == Each && read.OfCluster() {
		return fmt.Errorf("found %q, expected each of nodehost, drummer or host: who is a member may change meanwhile", text)
	}
	*t = read
	return nil
}

func (t *Target) readNames(names []string) error {
	for i, name := range names {
		if slices.Index(names, name) != i {
			return fmt.Errorf("found %s a second time, expected each host once", name)
		}
	}
	if len(names) > 1 {
		*t = Target{Names: strings.Join(names, " ")}
		return nil
	}
	class, number := SplitHost(names[0])
	*t = Target{Class: class, Number: number}
	return nil
}

// read reads what the pattern allows before a class.
func (a *Amount) read(text string) error {
	low, high, isRange := strings.Cut(text, "..")
	switch {
	case strings.HasSuffix(text, "%"):
		return a.Share.UnmarshalText([]byte(text))
	case text[0] < '0' || text[0] > '9':
		a.Word = text
		return nil
	case !isRange:
		high = low
	}
	a.Min, _ = strconv.Atoi(low) // the pattern says that they are numbers
	a.Max, _ = strconv.Atoi(high)
	if a.Min > a.Max {
		return fmt.Errorf("found %s hosts, whose beginning is after its end, expected such as 1..3", text)
	}
	return nil
}
