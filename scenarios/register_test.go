// SPDX-License-Identifier: Apache-2.0

package scenarios_test

// The faults, checks and bugs of the shipped scenarios, and of the documentation. They
// import package scenarios, so that its own tests cannot import them.
import (
	_ "github.com/drumbeat-raft/drumbeat/monkey/fault"
	_ "github.com/drumbeat-raft/drumbeat/monkey/judge"
	_ "github.com/drumbeat-raft/drumbeat/monkey/statemachine/mutant"
)
