// SPDX-License-Identifier: Apache-2.0

// Package online judges key-value histories while they grow, by the rules of
// package zones, and names the operation that makes a history illegal.
//
// It has a way of its own to keep the zones: an operation at a time, in the
// order of events, and forgetting what is settled. To judge a finished history
// with it takes more than ten times as long as package zones does
// (`checker --bench` prints both), since every operation has to find its state,
// its block and the block's neighbours by itself.
package online
