// SPDX-License-Identifier: Apache-2.0

// Package role decides who may call what. A certificate bears one role, as a URI
// among its names (identity.go); one table says which roles each method of each gRPC
// service is for (table.go); a Guard in front of a gRPC server refuses everything
// else, and counts and logs what it refuses (guard.go, refusals.go).
//
// Without TLS there are no roles: whoever reaches the port may do everything.
package role
