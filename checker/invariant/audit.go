// SPDX-License-Identifier: Apache-2.0

package invariant

// Audit is what was seen of Drummer's work from the inside, while the run went on.
type Audit struct {
	Looks      int `json:"looks"`      // at the servers and the hosts
	States     int `json:"states"`     // of DrummerDB, that were followed
	Operations int `json:"operations"` // that were put in flight
	Events     int `json:"events"`     // of the event log
	Answers    int `json:"answers"`    // of Drummer servers, whose age was judged
	// Breaches are the first ones of each check.
	Breaches []DrummerBreach `json:"breaches"`
}

// DrummerBreach is what Drummer did that it should not have done.
type DrummerBreach struct {
	Check   string `json:"check"` // the key of the check that judges it
	At      int64  `json:"at"`
	Cluster uint64 `json:"cluster,omitempty"` // 0: it is about none
	Text    string `json:"text"`
}

var needAudit = Need{"what Drummer was seen to do from the inside", func(f *Facts) bool { return f.Audit != nil }}

// drummersBreaches makes violations of the breaches that a check judges.
func drummersBreaches(j *judgement, f *Facts, check string) {
	for _, b := range f.Audit.Breaches {
		if b.Check == check {
			j.violation("%s (seen at %s)", b.Text, seconds(b.At))
		}
	}
}

// hasDrummer is whether there is a Drummer.
func hasDrummer(f *Facts) bool { return !f.Static }
