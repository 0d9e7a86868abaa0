// SPDX-License-Identifier: Apache-2.0

// Package exact makes a simulation in a testing/synctest bubble repeatable to
// the last decision of the scheduler, and says what happened in it: a
// fingerprint of the whole execution, and a trace of its decisions in which the
// point where two executions part can be found.
//
// It works in programs that were built with the overlay of package
// monkey/exact/overlay, and knows whether the running program was (Built). All
// decisions in the bubble then depend on a seed: the order of goroutines, the
// cases of selects, timers of one instant, maps, math/rand, crypto/rand. A
// system call of the bubble takes no time. Garbage is collected while everybody
// waits. docs/exact-replay.md has the whole list, and what is not covered.
//
// A process is exact from its start if its environment has Environ; only then
// are the maps and random numbers fixed that exist before the bubble begins.
// Package monkey/sim/bubble runs its children so. Arm makes the next bubble of
// the process the exact one.
package exact
