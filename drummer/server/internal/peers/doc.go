// SPDX-License-Identifier: Apache-2.0

// Package peers is the Drummer servers among themselves: who is alive and where
// (table.go, exchange.go), which disk a NodeID of DrummerDB belongs to (record.go),
// who may start for the first time (admission.go), and who is a member of
// DrummerDB's own Raft cluster (members.go). It knows nothing of NodeHosts, nor of
// what is in DrummerDB.
package peers
