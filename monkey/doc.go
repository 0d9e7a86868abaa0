// SPDX-License-Identifier: Apache-2.0

// Package monkey puts a program of yours that runs on Dragonboat under the
// monkey, in an ordinary go test of your module: state machines of any of the
// three kinds, with the operations that your clients ask for, a client of your
// own, or a whole program. The deployment is simulated, on virtual time, and
// lives in a process of its own: the test binary, started once more. No TestMain
// and no build tag is needed.
//
//	func TestLedger(t *testing.T) {
//		monkey.Test(t, monkey.Config{
//			StateMachine: monkey.Regular(ledger.New),
//			Workload: monkey.Workload[Op, Answer]{Next: next, Encode: encode, Decode: decode},
//			Model: monkey.Model[State, Op, Answer]{Init: empty, Apply: apply},
//		})
//	}
//
// A test fails when an answer can't be explained by the model, when replicas
// differ, when an invariant does not hold, when a process panics, when a
// cluster does not come back, and also when a run says too little to count as a
// pass. docs/testing-your-state-machine.md begins from nothing. Package smtest tests
// a state machine without a cluster; begin with it. [Config] says what a test can have,
// [Model] how answers are judged, and [Host] how a whole program is run.
//
// A test binary that uses this package has the flags
//
//	-monkey.seed N        run this seed, and no other
//	-monkey.seeds N       run so many seeds
//	-monkey.scenario S    run this scenario, a name or a file
//	-monkey.duration D    length of the phase with faults
//	-monkey.shrink D      when a run finds a violation, look for the smallest scenario
//	                      that shows it, for so long
//	-monkey.out DIR       directory for the runs that are kept: those that did not pass
package monkey
