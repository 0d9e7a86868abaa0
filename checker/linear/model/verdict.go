// SPDX-License-Identifier: Apache-2.0

package model

// Verdict is what is known about a history.
type Verdict string

const (
	// OK: an order exists that explains every answer.
	OK Verdict = "ok"
	// Violation: no such order exists.
	Violation Verdict = "violation"
	// Unknown: the search gave up.
	Unknown Verdict = "unknown"
)
