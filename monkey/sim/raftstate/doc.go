// SPDX-License-Identifier: Apache-2.0

// Package raftstate looks into the Raft nodes of a Dragonboat NodeHost: at
// terms, votes, logs and memberships that Dragonboat keeps to itself. It reads
// fields by their names, in the version of Dragonboat that go.mod pins; another
// version that has not got them is an error, no panic.
//
// It changes nothing and asks nobody: no request goes through Raft.
package raftstate
