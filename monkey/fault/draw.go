// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// drawParameters returns a pointer to parameters in which every range is one value,
// drawn from it. Parameters without ranges are returned as they are.
func drawParameters(parameters any, rng *rand.Rand) any {
	if !isDrawn(parameters) {
		return parameters
	}
	drawn := reflect.New(reflect.TypeOf(parameters).Elem())
	drawn.Elem().Set(reflect.ValueOf(parameters).Elem())
	for i := range drawn.Elem().NumField() {
		switch r := drawn.Elem().Field(i).Addr().Interface().(type) {
		case *scenarios.Range:
			r.Min += scenarios.Duration(between(rng, 0, (r.Max - r.Min).D()))
			r.Max = r.Min
		case *scenarios.Percents: // in tenths
			r.Min += scenarios.Percent(rng.IntN(int(10*(r.Max-r.Min))+1)) / 10
			r.Max = r.Min
		case *scenarios.Counts:
			r.Min += rng.IntN(r.Max - r.Min + 1)
			r.Max = r.Min
		}
	}
	return drawn.Interface()
}

// isDrawn reports whether parameters have a range from which something is drawn.
func isDrawn(parameters any) bool {
	if parameters == nil {
		return false
	}
	v := reflect.ValueOf(parameters).Elem()
	for i := range v.NumField() {
		switch r := v.Field(i).Interface().(type) {
		case scenarios.Range:
			if r.Min < r.Max {
				return true
			}
		case scenarios.Percents:
			if r.Min < r.Max {
				return true
			}
		case scenarios.Counts:
			if r.Min < r.Max {
				return true
			}
		}
	}
	return false
}

// between draws a time from [lo, hi], in whole milliseconds.
func between(rng *rand.Rand, lo, hi time.Duration) time.Duration {
	return lo + time.Duration(rng.Int64N(int64((hi-lo)/time.Millisecond)+1))*time.Millisecond
}

// lengths draws a range of times within [lo, hi], for a swarm.
func lengths(rng *rand.Rand, lo, hi time.Duration) scenarios.Range {
	a, b := between(rng, lo, hi), between(rng, lo, hi)
	return scenarios.Range{Min: scenarios.Duration(min(a, b)), Max: scenarios.Duration(max(a, b))}
}

// percents draws a range of shares within [lo, hi], for a swarm.
func percents(rng *rand.Rand, lo, hi int) scenarios.Percents {
	a, b := lo+rng.IntN(hi-lo+1), lo+rng.IntN(hi-lo+1)
	return scenarios.Percents{Min: scenarios.Percent(min(a, b)), Max: scenarios.Percent(max(a, b))}
}

// counts draws a range of numbers within [lo, hi], for a swarm.
func counts(rng *rand.Rand, lo, hi int) scenarios.Counts {
	a, b := lo+rng.IntN(hi-lo+1), lo+rng.IntN(hi-lo+1)
	return scenarios.Counts{Min: min(a, b), Max: max(a, b)}
}
