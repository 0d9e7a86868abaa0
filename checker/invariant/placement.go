// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var needPlacement = Need{"where members lived once all was whole", func(f *Facts) bool { return f.Placement != nil }}

var _ = define(Check{
	Key:          "placement",
	Name:         "members where they are wanted",
	Doc:          "Once all is whole, and Drummer has had the time for it, members live on hosts with the required labels, each region has as many as it should, and as few as can be share a failure domain: none could live better on a host that is there.",
	Needs:        []Need{needPlacement},
	Applies:      func(f *Facts) bool { return f.Placed },
	AfterHealing: true,
}, judgePlacement)

func judgePlacement(j *judgement, f *Facts, _ *noSettings) string {
	if len(f.Placement.Left) > 0 {
		j.violation("%s after all was whole: %s", seconds(f.Placement.Took), list(f.Placement.Left))
	}
	return fmt.Sprintf("all members lived where they were wanted %s after all was whole", seconds(f.Placement.Took))
}
