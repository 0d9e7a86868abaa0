// SPDX-License-Identifier: Apache-2.0

// Package bubble runs a whole simulation on virtual time, from an ordinary
// binary, in a child process of its own.
//
// Virtual time is testing/synctest's: inside a bubble the clock stands still
// while any goroutine works and jumps when all of them wait. It needs a
// *testing.T, which the child gets from testing.Main. A child process a run
// also turns a panic in a worker goroutine, out of reach of any recover, into
// something that can be reported and survived: the parent reads the crash from
// what the child wrote last (Crash).
//
// The child's side is Main, called first thing in the binary's main; the
// parent's side is Command.Run. Between them:
//
//	stdin           the request as one line of JSON, then perhaps a line "stop";
//	                its end means that the parent is gone, and the child exits
//	fd 3            progress and the end of the work, a line of JSON each
//	stdout, stderr  a log file
//
// It knows nothing of what is simulated.
package bubble
