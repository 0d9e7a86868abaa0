// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:          "actions",
	Name:         "operator's actions",
	Doc:          "What the scenario's operator asked of Drummer (sizes, deletions, drains) holds at the end.",
	AfterHealing: true,
	Applies:      func(f *Facts) bool { return f.Actions > 0 },
}, func(j *judgement, f *Facts, _ *noSettings) string {
	for _, u := range f.Unmet {
		j.violation("%s", u)
	}
	return fmt.Sprintf("%d actions were taken, and all that they ask for holds", f.Actions)
})
