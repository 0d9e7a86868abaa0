// SPDX-License-Identifier: Apache-2.0

// Package statemachine makes the key-value store of package kv into
// Dragonboat's three kinds of state machine: regular, concurrent and on-disk.
// They differ in how Dragonboat drives them and in what survives a restart,
// and in nothing that a client can see.
//
// Commands, queries and answers are those of package kv, as bytes. Queries may
// be made with Lookup([]byte), which answers a []byte, or NALookup. Known-bad
// versions are in package mutant.
package statemachine
