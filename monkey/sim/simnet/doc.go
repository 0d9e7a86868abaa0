// SPDX-License-Identifier: Apache-2.0

// Package simnet is a simulated network of named hosts. It carries Dragonboat's
// Raft messages and snapshots (Network.Transport) and byte streams for gRPC
// (Network.Listen, Network.Dialer), and one table of links governs both.
//
// An address is host:anything, such as nh1:raft. Hosts come into being when
// they are first named. A link leads from one host to another; the way back is
// a link of its own. What a Link says holds from the moment it is set:
//
//   - Cut: Raft messages are dropped, those on their way as well. Bytes of
//     streams and snapshots are held, as TCP sends them again until it gives
//     up; dials wait.
//   - Drop, Duplicate, Reorder: chances that befall a Raft message. Streams
//     stay in order and whole; for Drop they wait for the retransmission.
//     Proposals that a follower forwards to the leader never arrive twice: they
//     are not part of the Raft protocol, which is idempotent, and would be
//     appended twice, which a no-op session does not notice.
//   - Delay, Jitter: on everything, one way.
//
// From a host to itself everything passes at once.
//
// Down ends the process on a host: whatever the process still does afterwards,
// until its goroutines have stopped, reaches nobody. Peers see
// their connections reset (a killed process, whose kernel tells them) or
// nothing at all (a power loss). Up begins the next incarnation.
//
// Chance comes from the seed only, with a source of its own for each link.
// Counters tell what happened to messages and bytes on each link.
//
// Nothing runs in the background while links have no delay: a Raft message is
// handed over on the goroutine that sends it. A link with delay has one timer.
// It is not a model of bandwidth or congestion.
package simnet
