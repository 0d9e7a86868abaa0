// SPDX-License-Identifier: Apache-2.0

// Package simnet is a simulated network of named hosts. It carries Dragonboat's
// Raft messages and snapshots (Network.Transport) and byte streams for gRPC
// (Network.Listen, Network.Dialer), and one table of links governs both.
//
// An address is host:anything, such as nh1:raft. Hosts come into being when
// they are first named. A link leads from one host to another; the way back is
// a link of its own. From a host to itself everything passes at once.
//
// # Latency
//
// Config.Latency says how long what is sent is under way, drawn for each batch
// of Raft messages and each write to a stream. What is sent on one connection
// arrives in order, as with TCP: Dragonboat opens several to each peer, and every
// stream is one. Between connections nothing is ordered. Arrivals are rounded up
// to slots, so that a host handles together what arrives together, which saves
// wake-ups.
//
// A host can be made busy for a time (Network.Busy): its disk or its state
// machines are at work. What it sends meanwhile leaves when they are done, and
// never if the process dies first.
//
// # Faults
//
// What a Link says holds from the moment it is set:
//
//   - Cut: Raft messages are dropped, those on their way as well. Bytes of
//     streams and snapshots are held, as TCP sends them again until it gives
//     up; dials wait.
//   - Drop, Duplicate, Reorder: chances that befall a Raft message. Streams
//     stay in order and whole; for Drop they wait for the retransmission.
//     Proposals that a follower forwards to the leader never arrive twice: they
//     are not part of the Raft protocol, which is idempotent, and would be
//     appended twice, which a no-op session does not notice.
//   - Delay, Jitter: on everything, one way, on top of the latency.
//   - Corrupt: a bit of a batch of Raft messages or of a chunk is flipped under
//     way. Its checksum does not match any more, so that it is not taken and its
//     connection is closed, as by Dragonboat's TCP transport. Of streams TCP sees
//     it, and sends again.
//   - Bandwidth: what is sent leaves one after the other. Raft messages that would
//     wait for longer than two seconds are dropped.
//   - Hold: Raft messages are kept, and arrive within a moment in any order when
//     this ends; streams are held as by a Cut.
//
// ResetConnections resets all connections between two hosts.
//
// Down ends the process on a host: whatever the process still does afterwards,
// until its goroutines have stopped, reaches nobody. Peers see
// their connections reset (a killed process, whose kernel does that) or
// nothing at all (a power loss). Up begins the next incarnation.
//
// Chance comes from the seed only, with a source of its own for each link.
// Counters tell what happened to messages and bytes on each link.
//
// One timer serves everything that is under way. Where nothing takes time there
// is none: a Raft message is handed over on the goroutine that sends it. It is
// not a model of congestion.
package simnet
