// SPDX-License-Identifier: Apache-2.0

// Package latency draws how long things take in a simulation: messages on a
// link, syncs of a disk, the application of an entry.
//
// A Distribution is a shifted log-normal (the log-normal with three parameters
// of Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions,
// volume 1, chapter 14): a least time that propagation or the medium needs, plus
// a time whose logarithm is normal. Measured delays in networks and storage have
// that form: many that are alike, and a tail of few that take several times as
// long. It is fixed by three numbers that are easy to measure: the minimum, the
// median and the 99th percentile.
//
// It is no model of queues, bandwidth or congestion: draws are independent of
// each other and of the load.
package latency

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// z99 is the 99th percentile of the standard normal distribution.
const z99 = 2.3263478740408408

// tailLimit bounds a draw, in 99th percentiles. Without it one draw in a run of
// millions could last for hours when the median is far below the percentile.
const tailLimit = 10

// Distribution is a distribution of times. The zero value always draws 0. It is
// immutable and safe for concurrent use.
type Distribution struct {
	min   time.Duration
	scale float64 // median less min, in nanoseconds
	sigma float64 // of the logarithm
	limit time.Duration
}

// Of makes the distribution that a scenario describes.
func Of(l scenarios.Latency) Distribution {
	d := Distribution{min: l.Min.D(), limit: tailLimit * l.P99.D()}
	if l.Median > l.Min {
		d.scale = float64(l.Median - l.Min)
		d.sigma = math.Log(float64(l.P99-l.Min)/d.scale) / z99
	}
	return d
}

// IsZero reports whether every draw is 0.
func (d Distribution) IsZero() bool { return d == Distribution{} }

// Median is the time that half of the draws stay below.
func (d Distribution) Median() time.Duration { return d.min + time.Duration(d.scale) }

// Draw draws a time. It takes nothing from rng if all draws are equal.
func (d Distribution) Draw(rng *rand.Rand) time.Duration {
	switch {
	case d.scale == 0:
		return d.min
	case d.sigma == 0:
		return d.Median()
	}
	t := d.scale * math.Exp(d.sigma*rng.NormFloat64())
	return min(d.min+time.Duration(min(t, float64(d.limit))), d.limit)
}
