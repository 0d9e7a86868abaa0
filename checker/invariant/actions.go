// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:          "actions",
	Name:         "operator's actions",
	Doc:          "Drummer accepts all that the scenario's operator asks (sizes, deletions, drains), and it holds at the end.",
	AfterHealing: true,
	Applies:      func(f *Facts) bool { return f.WantedActions > 0 },
}, func(j *judgement, f *Facts, _ *noSettings) string {
	for _, u := range f.Unmet {
		j.violation("%s", u)
	}
	if n := len(f.Actions); n < f.WantedActions {
		j.inconclusive("Drummer accepted %d of the %d actions that the scenario has", n, f.WantedActions)
	}
	return fmt.Sprintf("Drummer accepted %d actions, and all that they ask for holds", len(f.Actions))
})
