// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"math"
	"math/rand/v2"
	"sort"

	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// zipf draws keys by Zipf's law: the n-th hottest is drawn 1/n^exponent as often
// as the first. With the exponent 0.99 it is the popularity of records in YCSB
// (Cooper et al., Benchmarking Cloud Serving Systems with YCSB, SoCC 2010). The
// generator of math/rand/v2 takes exponents above 1 only.
type zipf struct {
	upTo []float64 // of key i: the weights of the keys up to it, it included
}

func newZipf(keys int, exponent float64) *zipf {
	z, total := &zipf{upTo: make([]float64, keys)}, 0.0
	for i := range keys {
		total += math.Pow(float64(i+1), -exponent)
		z.upTo[i] = total
	}
	return z
}

func (z *zipf) draw(rng *rand.Rand) int {
	last := len(z.upTo) - 1
	x := rng.Float64() * z.upTo[last]
	return min(sort.Search(last, func(i int) bool { return x < z.upTo[i] }), last)
}

// bursts draws how many operations start together.
type bursts struct {
	size int
	// chance that what starts at an instant is a burst, not a single operation
	chance float64
}

// newBursts chooses the chance so that of all operations the given share is in
// a burst: chance × size of chance × size + (1 − chance).
func newBursts(b scenarios.Burst) bursts {
	size, share := float64(b.Size), b.Share.Fraction()
	return bursts{size: b.Size, chance: share / (size - share*(size-1))}
}

// mean is the mean number of operations that start at an instant.
func (b bursts) mean() float64 { return 1 + b.chance*float64(b.size-1) }

func (b bursts) draw(rng *rand.Rand) int {
	if b.size > 1 && rng.Float64() < b.chance {
		return b.size
	}
	return 1
}
