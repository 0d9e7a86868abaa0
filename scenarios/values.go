// SPDX-License-Identifier: Apache-2.0

package scenarios

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The forms of values, for the parser and for the JSON Schema.
const (
	durationForm = `([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h))+`
	rangeForm    = durationForm + `(\.\.` + durationForm + `)?`
	numberForm   = `[0-9]+(\.[0-9]+)?`
	countForm    = `[0-9]+`
	percentForm  = numberForm + `%`
	targetForm   = `(nodehost|drummer)(-[1-9][0-9]{0,8})?|drummer-leader|cluster-leader|joining`
)

var (
	durationPattern = regexp.MustCompile(`^(` + durationForm + `)$`)
	countPattern    = regexp.MustCompile(`^(` + countForm + `)$`)
	percentPattern  = regexp.MustCompile(`^(` + percentForm + `)$`)
	targetPattern   = regexp.MustCompile(`^(` + targetForm + `)$`)
)

// Duration is a time.Duration written with its unit: 500ms, 10s, 1h30m.
type Duration time.Duration

// D returns d as a time.Duration.
func (d Duration) D() time.Duration { return time.Duration(d) }

// String returns the shortest text that reads back as d: 10m, not 10m0s.
func (d Duration) String() string {
	text := time.Duration(d).String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler. A duration has a unit
// and is not negative.
func (d *Duration) UnmarshalText(text []byte) error {
	const expected = "expected a duration with its unit, such as 500ms, 10s or 1h30m"
	parsed, err := time.ParseDuration(string(text))
	if err != nil || !durationPattern.Match(text) {
		return fmt.Errorf("found %q, %s", shorten(string(text)), expected)
	}
	*d = Duration(parsed)
	return nil
}

// Range is an inclusive range of durations. One duration is a range of itself.
type Range struct {
	Min, Max Duration
}

// IsZero reports whether r is absent.
func (r Range) IsZero() bool { return r == Range{} }

// String returns 'min..max', or the one duration when both are equal.
func (r Range) String() string {
	if r.Min == r.Max {
		return r.Min.String()
	}
	return r.Min.String() + ".." + r.Max.String()
}

// MarshalText implements encoding.TextMarshaler.
func (r Range) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *Range) UnmarshalText(text []byte) error {
	const expected = "expected a duration or a range of them, such as 30s or 10s..40s"
	low, high, isRange := strings.Cut(string(text), "..")
	if !isRange {
		high = low
	}
	var parsed Range
	if parsed.Min.UnmarshalText([]byte(low)) != nil || parsed.Max.UnmarshalText([]byte(high)) != nil {
		return fmt.Errorf("found %q, %s", shorten(string(text)), expected)
	}
	if parsed.Min > parsed.Max {
		return fmt.Errorf("found %q, whose beginning is after its end, %s", text, expected)
	}
	if parsed.Max == 0 {
		return fmt.Errorf("found %q, which is no time at all, %s", text, expected)
	}
	*r = parsed
	return nil
}

// Percent is a share, written with its sign: 20%. Its value is the number of
// percent, over 0 and at most 100.
type Percent float64

// Fraction returns the share as a number between 0 and 1.
func (p Percent) Fraction() float64 { return float64(p) / 100 }

// String returns the text that reads back as p.
func (p Percent) String() string { return strconv.FormatFloat(float64(p), 'f', -1, 64) + "%" }

// MarshalText implements encoding.TextMarshaler.
func (p Percent) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Percent) UnmarshalText(text []byte) error {
	value, err := strconv.ParseFloat(strings.TrimSuffix(string(text), "%"), 64)
	if err != nil || !percentPattern.Match(text) || value <= 0 || value > 100 {
		return fmt.Errorf("found %q, expected a share over 0%% and up to 100%%, such as 20%%", shorten(string(text)))
	}
	*p = Percent(value)
	return nil
}

// TargetClass is a set of hosts that a fault draws its target from.
type TargetClass string

// The classes of target.
const (
	AnyNodeHost   TargetClass = "nodehost"
	AnyDrummer    TargetClass = "drummer"
	DrummerLeader TargetClass = "drummer-leader"
	ClusterLeader TargetClass = "cluster-leader"
	Joining       TargetClass = "joining"
)

// Target says whom a fault strikes: one of a class, or, when Number is not 0,
// the host with that number (nodehost-3, drummer-1), counted from 1.
type Target struct {
	Class  TargetClass
	Number int
}

// IsZero reports whether t is absent.
func (t Target) IsZero() bool { return t == Target{} }

// OfDrummers reports whether t is one of the Drummer servers, not a NodeHost.
func (t Target) OfDrummers() bool { return t.Class == AnyDrummer || t.Class == DrummerLeader }

// String returns the text that reads back as t. With a Number it is the
// name of the host.
func (t Target) String() string {
	if t.Number == 0 {
		return string(t.Class)
	}
	return fmt.Sprintf("%s-%d", t.Class, t.Number)
}

// MarshalText implements encoding.TextMarshaler.
func (t Target) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Target) UnmarshalText(text []byte) error {
	if !targetPattern.Match(text) {
		return fmt.Errorf("found %q, expected nodehost, drummer, drummer-leader, cluster-leader, joining or one host such as nodehost-3", shorten(string(text)))
	}
	class, digits, _ := strings.Cut(string(text), "-")
	number, err := strconv.Atoi(digits)
	if err != nil { // there is no number, and a - is part of the name
		*t = Target{Class: TargetClass(text)}
		return nil
	}
	*t = Target{Class: TargetClass(class), Number: number}
	return nil
}
