// SPDX-License-Identifier: Apache-2.0

// Package raftsafety checks safety properties of Raft by the messages that nodes
// exchange, whatever nodes say of themselves: a node votes once a term, a leader has
// every entry that was committed in an earlier term, and a committed entry keeps its
// term (Ongaro and Ousterhout, In Search of an Understandable Consensus Algorithm,
// figure 3: election safety, leader completeness, and, as far as terms show it, log
// matching).
//
// It sees a breach also where no client notices: votes that were given twice and
// elected nobody, an entry that is missing and that nobody has read yet. It sees
// nothing of what is not sent.
package raftsafety
