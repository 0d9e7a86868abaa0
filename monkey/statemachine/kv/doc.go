// SPDX-License-Identifier: Apache-2.0

// Package kv is the core that Drumbeat's three bundled state machines share: a
// small key-value store, its commands and queries as bytes, digests to compare
// replicas with, and snapshots.
//
// Everything is deterministic: the same commands in the same order give the
// same state, the same answers, the same digests and the same snapshot bytes
// on every replica. No input, however broken, makes it panic.
//
// It knows neither Dragonboat nor files nor locks; package statemachine adds
// them. A Store must not be used from two goroutines at once, unless all of
// them only read.
package kv
