// SPDX-License-Identifier: Apache-2.0

package server

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lni/dragonboat/v3/config"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

const (
	backupPrefix = "drummerdb-"
	backupSuffix = ".backup"
	// defaultBackupInterval and defaultBackupsKept hold when only a directory is
	// configured.
	defaultBackupInterval = time.Hour
	defaultBackupsKept    = 24
)

// BackupConfig says where a server writes backups of DrummerDB by itself. Each
// server may have its own directory, so that a backup outlives any of them.
type BackupConfig struct {
	Dir      string        // "": none are written
	Interval time.Duration // 0: an hour
	Keep     int           // the newest ones; 0: 24
}

// Backup returns DrummerDB as of now.
func (f *fleetService) Backup(ctx context.Context, _ *pb.BackupRequest) (*pb.BackupResponse, error) {
	state, err := f.server.latestState(ctx)
	if err != nil {
		return nil, unavailable(err)
	}
	data, err := db.EncodeBackup(state)
	if err != nil {
		return nil, status.Error(codes.ResourceExhausted, err.Error())
	}
	return &pb.BackupResponse{Backup: data}, nil
}

// Restore makes a backup the state of a DrummerDB in which nothing is defined.
func (f *fleetService) Restore(ctx context.Context, req *pb.RestoreRequest) (*pb.FleetResponse, error) {
	by, err := asked(ctx, req.GetBy())
	if err != nil {
		return nil, err
	}
	if _, err := db.DecodeBackup(req.GetBackup()); err != nil {
		return nil, status.Errorf(codes.InvalidArgument, "the backup can't be restored: %v", err)
	}
	switch state, err := f.server.latestState(ctx); {
	case err != nil:
		return nil, unavailable(err)
	case state.Version < db.Version:
		return nil, status.Error(codes.Unavailable, "the servers have only just begun and don't know yet what all of them can do; ask again in a moment")
	}
	return f.apply(ctx, &pb.Command{Body: &pb.Command_Restore{Restore: &pb.Restore{Backup: req.GetBackup(), By: by}}})
}

// backUp writes a backup every interval, until ctx ends.
func (s *Server) backUp(ctx context.Context) {
	to := &s.config.Backup
	ticker := time.NewTicker(to.Interval)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		path, err := s.writeBackup(ctx)
		switch {
		case err == nil:
			s.log.Info("a backup was written", "file", path)
		case ctx.Err() == nil:
			s.log.Error("no backup was written; the former ones are kept", "directory", to.Dir, "error", err)
		}
	}
}

// writeBackup writes one, reads it again, and only then removes the oldest ones.
func (s *Server) writeBackup(ctx context.Context) (path string, err error) {
	state, err := s.latestState(ctx)
	if err != nil {
		return "", err
	}
	data, err := db.EncodeBackup(state)
	if err != nil {
		return "", err
	}
	to, fs := &s.config.Backup, s.nodehost.NodeHostConfig().Expert.FS
	if err := fs.MkdirAll(to.Dir, 0o700); err != nil {
		return "", err
	}
	// Names in the order of their making: of epochs, and of indexes within one.
	name := fmt.Sprintf("%s%d-%020d-%020d%s", backupPrefix, state.DeploymentID, state.DeploymentEpoch, state.Index, backupSuffix)
	file := durable.At(fs, to.Dir, name)
	if err := file.WriteRaw(data); err != nil {
		return "", err
	}
	written, err := file.ReadRaw(db.MaxBackupBytes)
	if err != nil {
		return "", err
	}
	again, err := db.DecodeBackup(written)
	if err == nil && db.DigestOf(again) != db.DigestOf(state) {
		err = errors.New("it is not what was written")
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("%s can't be read again: %w", file.Path(), err), fs.Remove(file.Path()))
	}
	return file.Path(), removeOldBackups(fs, to.Dir, fmt.Sprint(backupPrefix, state.DeploymentID, "-"), to.Keep)
}

// removeOldBackups removes a deployment's backups but for the newest ones.
func removeOldBackups(fs config.IFS, dir, prefix string, keep int) error {
	names, err := fs.List(dir)
	if err != nil {
		return err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return !strings.HasPrefix(name, prefix) || !strings.HasSuffix(name, backupSuffix)
	})
	slices.Sort(names)
	for _, name := range names[:max(0, len(names)-keep)] {
		if err := fs.Remove(fs.PathJoin(dir, name)); err != nil {
			return err
		}
	}
	return nil
}
