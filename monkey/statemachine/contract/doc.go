// SPDX-License-Identifier: Apache-2.0

// Package contract checks that Dragonboat keeps its side of the contract with a
// state machine: in which order it calls it, which calls overlap, and that what
// it has prepared is used. The other side, the state machine's, is what package
// smtest is for.
//
// A call that breaks the contract panics, and names the node: there is nothing
// else that a state machine could do, and a panic is a finding of the check
// 'process'.
package contract
