// SPDX-License-Identifier: Apache-2.0

// Package drummer embeds a Drummer server in an application's own process.
// Package agent is the other side, for processes with a NodeHost; package
// client is for everybody else.
//
// The example is a whole deployment in one program: a server, a NodeHost with its agent,
// and a client. The types here are those of package server, which documents the fields
// of [server.Config] and the methods of [server.Server].
package drummer

import (
	"context"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	"github.com/drumbeat-raft/drumbeat/drummer/server"
)

// Config is what a Drummer server is made from; its fields: [server.Config].
type Config = server.Config

// Peer is where a Drummer server is; its fields: [server.Peer].
type Peer = server.Peer

// BackupConfig says where a server writes backups of DrummerDB by itself; its fields:
// [server.BackupConfig].
type BackupConfig = server.BackupConfig

// Server is a running Drummer server; its methods: [server.Server].
type Server = server.Server

// CheckMembers refuses members that DrummerDB can't have: each needs a NodeID, and
// two addresses that no other one has.
func CheckMembers(members map[uint64]Peer) error { return server.CheckMembers(members) }

// ErrDiskLost is in the error of a server that would start under a NodeID which
// belongs to another disk.
var ErrDiskLost = server.ErrDiskLost

// Salvage reads DrummerDB from the disk of a server that does not run, when a majority
// of the servers is lost, and returns a backup of it, to be restored into new ones.
func Salvage(ctx context.Context, config Config) (backup []byte, err error) {
	state, err := server.Salvage(ctx, config)
	if err != nil {
		return nil, err
	}
	return db.EncodeBackup(state)
}

// New starts a Drummer server in this process: at its first start as one of the
// initial members of DrummerDB, later from what is on its disk. Watch Failed:
// a first start that others have to agree to goes on after New has returned.
func New(config Config) (*Server, error) { return server.New(config) }
