// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"slices"
)

var _ = define(Check{
	Key:           "effects",
	Name:          "faults took effect",
	Doc:           "Faults that the scenario wants to take effect at least so often did; nothing here is a violation.",
	Needs:         []Need{needFaults},
	NeverViolates: true,
	UnlessStopped: true,
	Applies:       func(f *Facts) bool { return len(f.Wanted) > 0 },
}, judgeEffects)

// judgeEffects adds up the scenario's entries of the same kind and target.
func judgeEffects(j *judgement, f *Facts, _ *noSettings) string {
	var sums []WantedFault
	for _, w := range f.Wanted {
		i := slices.IndexFunc(sums, func(x WantedFault) bool { return x.String() == w.String() })
		if i < 0 {
			sums = append(sums, w)
		} else {
			sums[i].AtLeast += w.AtLeast
		}
	}
	for _, w := range sums {
		got := 0
		for _, x := range f.Faults {
			if x.TookEffect && x.String() == w.String() {
				got++
			}
		}
		if got < w.AtLeast {
			j.inconclusive("%s took effect %d times, wanted at least %d", w, got, w.AtLeast)
		}
	}
	return fmt.Sprintf("each of %d kinds of fault took effect as often as the scenario asks", len(sums))
}

// String names a kind of fault and its target.
func (w WantedFault) String() string { return faultName(w.Kind, w.Target, w.Forever) }

// String names a kind of fault and its target.
func (x Fault) String() string { return faultName(x.Kind, x.Target, x.Forever) }

func faultName(kind, target string, forever bool) string {
	if forever {
		return kind + " of " + target + " forever"
	}
	return kind + " of " + target
}
