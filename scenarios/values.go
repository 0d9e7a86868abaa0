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
	percentsForm = percentForm + `(\.\.` + percentForm + `)?`
	countsForm   = `[0-9]{1,9}(\.\.[0-9]{1,9})?`
)

var (
	durationPattern = regexp.MustCompile(`^(` + durationForm + `)$`)
	countPattern    = regexp.MustCompile(`^(` + countForm + `)$`)
	countsPattern   = regexp.MustCompile(`^(` + countsForm + `)$`)
	percentPattern  = regexp.MustCompile(`^(` + percentForm + `)$`)
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

// Percents is an inclusive range of shares. One share is a range of itself.
type Percents struct {
	Min, Max Percent
}

// IsZero reports whether p is absent.
func (p Percents) IsZero() bool { return p == Percents{} }

// Fraction returns the share of a range that is one share.
func (p Percents) Fraction() float64 { return p.Min.Fraction() }

// String returns 'min..max', or the one share when both are equal.
func (p Percents) String() string {
	if p.Min == p.Max {
		return p.Min.String()
	}
	return p.Min.String() + ".." + p.Max.String()
}

// MarshalText implements encoding.TextMarshaler.
func (p Percents) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (p *Percents) UnmarshalText(text []byte) error {
	low, high, isRange := strings.Cut(string(text), "..")
	if !isRange {
		high = low
	}
	var read Percents
	if read.Min.UnmarshalText([]byte(low)) != nil || read.Max.UnmarshalText([]byte(high)) != nil || read.Min > read.Max {
		return fmt.Errorf("found %q, expected a share over 0%% and up to 100%%, or a range of them, such as 20%% or 5%%..40%%", shorten(string(text)))
	}
	*p = read
	return nil
}

// Counts is an inclusive range of whole numbers from 1 on. One number is a range
// of itself.
type Counts struct {
	Min, Max int
}

// IsZero reports whether c is absent.
func (c Counts) IsZero() bool { return c == Counts{} }

// String returns 'min..max', or the one number when both are equal.
func (c Counts) String() string {
	if c.Min == c.Max {
		return strconv.Itoa(c.Min)
	}
	return fmt.Sprintf("%d..%d", c.Min, c.Max)
}

// MarshalText implements encoding.TextMarshaler.
func (c Counts) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (c *Counts) UnmarshalText(text []byte) error {
	low, high, isRange := strings.Cut(string(text), "..")
	if !isRange {
		high = low
	}
	least, err := strconv.Atoi(low)
	most, err2 := strconv.Atoi(high)
	if !countsPattern.Match(text) || err != nil || err2 != nil || least < 1 || least > most {
		return fmt.Errorf("found %q, expected a whole number from 1 on, or a range of them, such as 3 or 1..8", shorten(string(text)))
	}
	*c = Counts{least, most}
	return nil
}
