// SPDX-License-Identifier: Apache-2.0

// Package shrink makes a scenario that shows a violation as small as it can: it
// removes faults, operations, clusters, hosts, clients, time and settings as
// long as the same violation still appears.
//
// It runs nothing itself: how a scenario is run, and whether the violation was
// there, is the caller's function (Run). Begin with Fixed, which turns what a run
// drew into entries that can be removed one by one; Search does the rest.
package shrink
