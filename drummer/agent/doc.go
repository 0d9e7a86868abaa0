// SPDX-License-Identifier: Apache-2.0

// Package agent is Drummer's hand on a NodeHost: it reports what the NodeHost
// holds, as one full state and then as deltas, and carries out the requests
// that Drummer pushes down the same stream.
//
// It decides nothing: it starts no node by itself after a restart, and refuses
// what was meant for another NodeHost, another deployment or an older leader.
package agent
