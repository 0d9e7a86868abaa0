// SPDX-License-Identifier: Apache-2.0

// Package sim is the world in which every host lives in this process: Drummers
// and NodeHosts as production builds them, on a simulated network (simnet) and
// simulated disks (simdisk). Inside a synctest bubble (bubble) its time is
// virtual; outside of one the same world runs on the real clock.
//
// The goroutines of a process that ends in this world cannot be taken away at
// once. Instead its host's network and disk are taken from it at that instant,
// so that nothing it still does has an effect, and it is stopped in the
// background.
package sim
