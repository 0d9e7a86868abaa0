// SPDX-License-Identifier: Apache-2.0

// Package raftsafety checks safety properties of Raft by the messages that nodes
// exchange and by what they save, whatever nodes say of themselves (Ongaro and
// Ousterhout, In Search of an Understandable Consensus Algorithm, figure 3 and
// sections 5.4 and 6; Ongaro's thesis, section 6.4, for reads):
//
//   - a node votes once a term, and a leader has the votes of a majority;
//   - a leader has every entry that was committed in an earlier term;
//   - an entry is committed when a majority of the voters has saved it, one of an earlier
//     term only along with one of the leader's own, and keeps its term;
//   - two logs with an entry of one index and term have the same one before it;
//   - a linearizable read is confirmed by a majority, and sees what was committed before
//     it was asked for;
//   - what a node says it has saved, and finds it when it starts again.
//
// It sees a breach also where no client notices: votes that were given twice and
// elected nobody, an entry that is missing and that nobody has read yet, a commitment
// that a power loss would have undone. It sees nothing of what is neither sent nor
// saved. The membership that counts is worked out of the log by the rules of
// Dragonboat, not asked for.
package raftsafety
