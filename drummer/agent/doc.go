// SPDX-License-Identifier: Apache-2.0

// Package agent is Drummer's hand on a NodeHost: it reports what the NodeHost
// holds, as one full state and then as deltas, and carries out the requests
// that Drummer pushes down the same stream.
//
// Beside the Raft logs it remembers its deployment, and which nodes joined as
// observers: what it must know again after a restart, and nobody else may. It counts
// there, too, so that Drummer can tell an old copy of the disk from the disk.
//
// It decides nothing: it starts no node by itself after a restart, and refuses
// what was meant for another NodeHost, another deployment or an older leader.
package agent
