// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:     "soundness",
	Name:    "sound DrummerDB",
	Doc:     "No state of DrummerDB contradicts itself or the one before, or changes once it is published; a snapshot loses nothing of it; and no NodeID stands for two nodes.",
	Needs:   []Need{needAudit},
	Applies: hasDrummer,
}, judgeSoundness)

func judgeSoundness(j *judgement, f *Facts, _ *noSettings) string {
	drummersBreaches(j, f, "soundness")
	if f.Audit.States == 0 {
		j.inconclusive("no change of DrummerDB was seen")
	}
	return fmt.Sprintf("%d states of DrummerDB follow from each other", f.Audit.States)
}
