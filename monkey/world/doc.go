// SPDX-License-Identifier: Apache-2.0

// Package world says what the monkey can break, watch and talk to: hosts with
// a process, a disk and a place in a network, and on them a Drummer deployment
// with its NodeHosts. It holds the vocabulary only; monkey/sim and monkey/proc
// are the worlds there are, monkey/fault acts on any of them.
//
// It is not where faults are planned or judged.
package world
