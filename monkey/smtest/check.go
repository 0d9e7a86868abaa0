// SPDX-License-Identifier: Apache-2.0

package smtest

// check is one demand of the contract, or a few that are tested in one way.
type check struct {
	name     string
	kinds    kind   // that it concerns
	contract string // what Dragonboat asks for
	advice   string // what to do when it fails
	run      func(*trial)
}

// allKinds are the kinds of state machine that most checks concern.
const allKinds = regular | concurrent | onDisk

// checks are all checks, in the order in which they are made: what makes others
// hard to understand comes first.
var checks = []*check{
	&deterministic,
	&readOnly,
	&batches,
	&input,
	&kept,
	&snapshots,
	&pointInTime,
	&sameBytes,
	&stoppedSave,
	&stoppedRecovery,
	&reopen,
	&powerLoss,
	&stoppedOpen,
	&closing,
	&concurrency,
}
