// SPDX-License-Identifier: Apache-2.0

// Package raftspec knows the Raft configuration that a cluster's specification
// may ask for: its defaults and its limits. Who accepts a specification and who
// starts a node by it must agree on both. It does not know Dragonboat.
package raftspec
