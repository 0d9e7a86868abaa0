// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var needSettle = Need{"how the deployment settled after the last fault", func(f *Facts) bool { return f.Settle != nil }}

var _ = define(Check{
	Key:          "settled",
	Name:         "whole after healing",
	Doc:          "After the last fault everything is whole again, in truth and in Drummer's eyes, within the scenario's settle.",
	Needs:        []Need{needSettle},
	AfterHealing: true,
}, judgeSettled)

func judgeSettled(j *judgement, f *Facts, _ *noSettings) string {
	if !f.Settle.Whole {
		j.violation("not whole after %s: %s", seconds(f.Settle.Took), list(f.Settle.Left))
	}
	return fmt.Sprintf("everything was whole again after %s", seconds(f.Settle.Took))
}
