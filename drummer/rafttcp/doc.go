// SPDX-License-Identifier: Apache-2.0

// Package rafttcp carries Raft messages and snapshots between NodeHosts over TCP, for
// Raft ports that strangers can reach. On the wire it is Dragonboat's own transport, so
// that NodeHosts with either talk to each other and a fleet can be changed one by one.
// What is different is what a stranger costs: a connection has a time limit until it has
// shown who it is, and while nothing comes on it; their number is limited; a handshake
// holds nobody up; TLS is of version 1.3 at least; memory is taken as bytes arrive, not
// as a header announces them; and no error of accept ends the process.
//
// A Factory is set as config.ExpertConfig.TransportFactory. Frames are in frame.go, the
// side that sends in send.go, the side that listens in listen.go.
package rafttcp
