// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var needServers = Need{"the states of DrummerDB's servers", func(f *Facts) bool { return f.Servers > 0 && f.DrummerDB != nil }}

var _ = define(Check{
	Key:          "drummerdb",
	Name:         "DrummerDB's servers",
	Doc:          "After healing all Drummer servers hold the same state of DrummerDB at the same index, and no two were seen to hold different ones at an index before.",
	Needs:        []Need{needServers},
	AfterHealing: true,
	Applies:      func(f *Facts) bool { return !f.Static && f.Servers != 1 }, // one server agrees with itself
}, judgeDrummerDB)

func judgeDrummerDB(j *judgement, f *Facts, _ *noSettings) string {
	at := make(map[uint64]map[uint64]Digest) // by index, node
	for _, d := range f.DrummerDB {
		inner(at, d.Index)[d.Node] = d
	}
	for _, index := range sortedKeys(at) {
		if difference := differ(at[index]); difference != "" {
			j.violation("DrummerDB at index %d: %s", index, difference)
			break // what follows from one difference differs, too
		}
	}
	index, servers := mostShared(at)
	if servers < f.Servers {
		j.inconclusive("only %d of %d Drummer servers showed what they held at one index, %d", servers, f.Servers, index)
	}
	return fmt.Sprintf("%d Drummer servers hold equal states of DrummerDB at index %d", servers, index)
}
