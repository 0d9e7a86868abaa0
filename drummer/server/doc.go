// SPDX-License-Identifier: Apache-2.0

// Package server is a Drummer server: a Dragonboat NodeHost of its own that
// runs a replica of DrummerDB, and the gRPC services in front of it.
//
// Any server answers applications and tools. Only the one whose node leads
// DrummerDB's Raft cluster has a leadership (leadership.go): it keeps the agents'
// streams, moves the logical clock, writes what agents report, and lets package
// schedule decide. Each of its proposals carries the Raft term, so that what a
// deposed leader still writes is refused in DrummerDB.
//
// The servers among themselves (who is alive, which disk a NodeID belongs to, who
// may start, who votes) are package internal/peers.
//
// It decides nothing itself: decisions are package schedule's, what holds is
// package db's.
package server
