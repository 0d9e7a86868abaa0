// SPDX-License-Identifier: Apache-2.0

package invariant

import "fmt"

var _ = define(Check{
	Key:   "launch",
	Name:  "launch",
	Doc:   "All clusters run in full before the first fault.",
	Needs: []Need{needLaunch},
}, judgeLaunch)

func judgeLaunch(j *judgement, f *Facts, _ *noSettings) string {
	l := f.Launch
	switch {
	case l.Full == l.Clusters:
		return fmt.Sprintf("all %d clusters ran in full after %s", l.Clusters, seconds(l.Took))
	case l.Took == 0:
		j.inconclusive("the run ended before the launch did")
	default:
		j.violation("%d of %d clusters ran in full after %s without any fault", l.Full, l.Clusters, seconds(l.Took))
	}
	return ""
}
