// SPDX-License-Identifier: Apache-2.0

package diskcheck_test

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// A state machine on disk keeps its state itself. Its snapshots are files all the same,
// which Dragonboat panics without.
func TestAMissingSnapshotOfAStateMachineOnDiskIsDamage(t *testing.T) {
	disk := vfs.NewMem()
	nodehost, checker, err := diskcheck.Start(testkit.NodeHostConfig("on-disk:1", disk), nil)
	require.NoError(t, err)
	require.NoError(t, checker.Replica(1, 1))
	require.NoError(t, nodehost.StartOnDiskCluster(map[uint64]string{1: nodehost.RaftAddress()}, false,
		func(uint64, uint64) statemachine.IOnDiskStateMachine { return &counter{} }, testkit.RaftConfig(1, 1)))
	write(t, nodehost, 1, 0, 5)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	_, err = nodehost.SyncRequestSnapshot(ctx, 1, dragonboat.DefaultSnapshotOption)
	require.NoError(t, err)
	nodehost.Stop()

	replica := func() error {
		nodehost, checker, err := diskcheck.Start(testkit.NodeHostConfig("on-disk:1", disk), nil)
		require.NoError(t, err)
		defer nodehost.Stop()
		return checker.Replica(1, 1)
	}
	require.NoError(t, replica())
	removed := 0
	walk(t, disk, "/data", func(name string, _ []byte) {
		if strings.HasSuffix(name, ".gbsnap") {
			removed++
			require.NoError(t, disk.Remove(name))
		}
	})
	require.Positive(t, removed)
	require.ErrorIs(t, replica(), diskcheck.ErrDamaged)
}

// counter is a state machine that counts updates.
type counter struct{ updates uint64 }

func (c *counter) Open(<-chan struct{}) (uint64, error) { return 0, nil }

func (c *counter) Update(entries []statemachine.Entry) ([]statemachine.Entry, error) {
	c.updates += uint64(len(entries))
	return entries, nil
}

func (c *counter) Lookup(any) (any, error)                              { return c.updates, nil }
func (c *counter) Sync() error                                          { return nil }
func (c *counter) PrepareSnapshot() (any, error)                        { return nil, nil }
func (c *counter) SaveSnapshot(any, io.Writer, <-chan struct{}) error   { return nil }
func (c *counter) RecoverFromSnapshot(io.Reader, <-chan struct{}) error { return nil }
func (c *counter) Close() error                                         { return nil }
