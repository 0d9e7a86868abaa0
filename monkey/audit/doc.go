// SPDX-License-Identifier: Apache-2.0

// Package audit holds Drummer to what it promises, from the inside, while a run goes
// on: it follows DrummerDB from state to state as the servers apply it, beside the
// truth about the hosts. What it asks for is written here from the documentation, not
// taken from the packages that decide: a rule that is missing there is not missing
// here. One file has one check:
//
//	soundness.go  no state contradicts itself or the one before, or changes afterwards;
//	              a snapshot loses nothing
//	eventlog.go   the event log tells all that happens, once, and nothing else
//	promises.go   what Drummer promises of each operation
//	awareness.go  Drummer knows what is so, soon
//	delivery.go   operations reach their hosts, and what becomes of them DrummerDB
//	decisions.go  a decision follows from the state alone
//
// It is not safe for concurrent use.
package audit
