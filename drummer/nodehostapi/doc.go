// SPDX-License-Identifier: Apache-2.0

// Package nodehostapi serves the Raft clusters of one NodeHost to remote
// clients: sessions, proposals and reads over gRPC.
//
// It adds one thing to Dragonboat's API: each error says whether the proposal
// can still take effect (errors.go has the table and its reasons). It does not
// look for the right NodeHost; that is the client's job.
package nodehostapi
