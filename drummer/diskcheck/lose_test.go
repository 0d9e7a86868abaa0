// SPDX-License-Identifier: Apache-2.0

package diskcheck_test

import (
	"strings"
	"testing"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// A replica that was given up stays so until its data is removed, whatever its log has.
func TestAReplicaThatIsGivenUpIsNotStartedAgain(t *testing.T) {
	disk := vfs.NewMem()
	nodehost, refused, err := start(t, disk)
	require.NoError(t, err)
	require.Empty(t, refused)
	for id := uint64(1); id <= clusters; id++ {
		write(t, nodehost, id, 0, 3)
	}
	nodehost.Stop()

	nodehost, checker, err := diskcheck.Start(testkit.NodeHostConfig(strings.ToLower(t.Name())+":1", disk), nil)
	require.NoError(t, err)
	require.NoError(t, checker.Lose(2, 1))
	require.ErrorIs(t, checker.Replica(2, 1), diskcheck.ErrDamaged)
	require.NoError(t, checker.Replica(1, 1))
	require.Equal(t, map[uint64][]uint64{2: {1}}, checker.Lost())
	nodehost.Stop()

	nodehost, refused, err = start(t, disk)
	require.NoError(t, err)
	require.Len(t, refused, 1)
	require.ErrorContains(t, refused[2], "given up")
	nodehost.Stop()

	nodehost, checker, err = diskcheck.Start(testkit.NodeHostConfig(strings.ToLower(t.Name())+":1", disk), nil)
	require.NoError(t, err)
	require.NoError(t, nodehost.RemoveData(2, 1))
	require.NoError(t, checker.Forget(2, 1))
	nodehost.Stop()
	nodehost, checker, err = diskcheck.Start(testkit.NodeHostConfig(strings.ToLower(t.Name())+":1", disk), nil)
	require.NoError(t, err)
	require.Empty(t, checker.Lost())
	nodehost.Stop()
}
