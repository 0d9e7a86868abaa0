// SPDX-License-Identifier: Apache-2.0

package diskcheck_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/diskcheck"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

var flips = flag.Int("flips", 200, "how many bits TestFlippedBits flips, one at a time")

const (
	clusters = 3
	writes   = 40
)

// start starts the NodeHost on a disk, and what may be started on it. Replicas that
// may not are in refused.
func start(t *testing.T, disk vfs.FS) (nodehost *dragonboat.NodeHost, refused map[uint64]error, err error) {
	nodehost, checker, err := diskcheck.Start(testkit.NodeHostConfig(strings.ToLower(t.Name())+":1", disk), nil)
	if err != nil {
		return nil, nil, err
	}
	refused = map[uint64]error{}
	for id := uint64(1); id <= clusters; id++ {
		if err := checker.Replica(id, 1); err != nil {
			refused[id] = err
			continue
		}
		members := map[uint64]string{1: nodehost.RaftAddress()}
		if nodehost.HasNodeInfo(id, 1) {
			members = nil
		}
		require.NoError(t, nodehost.StartCluster(members, false, testkit.NewKV, testkit.RaftConfig(id, 1)))
	}
	return nodehost, refused, nil
}

func write(t *testing.T, nodehost *dragonboat.NodeHost, id uint64, from, to int) {
	for i := from; i < to; i++ {
		require.Eventually(t, func() bool {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			_, err := nodehost.SyncPropose(ctx, nodehost.GetNoOPSession(id), testkit.Put(fmt.Sprint(i), fmt.Sprint("value ", id, i)))
			return err == nil
		}, time.Minute, time.Millisecond)
	}
}

// written is a disk with tables, write-ahead logs, snapshots and all other files,
// on which every cluster has acknowledged its writes.
func written(t *testing.T) map[string][]byte {
	disk := vfs.NewMem()
	for life := range 2 { // the second turns the write-ahead log of the first to a table
		nodehost, refused, err := start(t, disk)
		require.NoError(t, err)
		require.Empty(t, refused)
		for id := uint64(1); id <= clusters; id++ {
			write(t, nodehost, id, life*writes/2, (life+1)*writes/2)
			if id != clusters && life == 0 {
				ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
				_, err = nodehost.SyncRequestSnapshot(ctx, id, dragonboat.DefaultSnapshotOption)
				cancel()
				require.NoError(t, err)
			}
		}
		nodehost.Stop()
	}
	files := map[string][]byte{}
	walk(t, disk, "/data", func(name string, data []byte) { files[name] = data })
	return files
}

func walk(t *testing.T, disk vfs.FS, dir string, visit func(name string, data []byte)) {
	names, err := disk.List(dir)
	require.NoError(t, err)
	for _, name := range names {
		full := path.Join(dir, name)
		info, err := disk.Stat(full)
		require.NoError(t, err)
		if info.IsDir() {
			walk(t, disk, full, visit)
			continue
		}
		file, err := disk.Open(full)
		require.NoError(t, err)
		data, err := io.ReadAll(file)
		require.NoError(t, errors.Join(err, file.Close()))
		visit(full, data)
	}
}

// diskOf is a new disk with these files.
func diskOf(t *testing.T, files map[string][]byte) vfs.FS {
	disk := vfs.NewMem()
	for name, data := range files {
		require.NoError(t, disk.MkdirAll(path.Dir(name), 0o755))
		file, err := disk.Create(name)
		require.NoError(t, err)
		_, err = file.Write(data)
		require.NoError(t, errors.Join(err, file.Sync(), file.Close()))
	}
	return disk
}

// Whatever bit of a stopped NodeHost's disk is flipped: it does not start, or the
// replicas that lost something are refused, and all others have all that they
// acknowledged.
func TestFlippedBits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := written(t)
		var names []string
		for name, data := range files {
			if len(data) > 0 {
				names = append(names, name)
			}
		}
		slices.Sort(names)
		require.Greater(t, len(names), 8)
		rng := rand.New(rand.NewPCG(1, 2))
		outcomes := map[string]int{}
		for range *flips {
			name := names[rng.IntN(len(names))]
			bit := rng.IntN(8 * len(files[name]))
			outcomes[kind(name)+": "+flipped(t, files, name, bit)]++
		}
		for outcome, n := range outcomes {
			t.Log(n, outcome)
		}
	})
}

func kind(name string) string {
	base := path.Base(name)
	for _, suffix := range []string{".log", ".sst", ".gbsnap"} {
		if strings.HasSuffix(base, suffix) {
			return "*" + suffix
		}
	}
	return strings.TrimRight(base, "0123456789")
}

// flipped starts with one bit flipped and returns what became of it.
func flipped(t *testing.T, files map[string][]byte, name string, bit int) string {
	t.Helper()
	whole := files[name]
	defer func() { files[name] = whole }()
	files[name] = append([]byte(nil), whole...)
	files[name][bit/8] ^= 1 << (bit % 8)
	where := fmt.Sprintf("%s, byte %d, bit %d", name, bit/8, bit%8)
	t.Log(where)

	nodehost, refused, err := start(t, diskOf(t, files))
	if err != nil {
		return "the start ends"
	}
	defer nodehost.Stop()
	for id := uint64(1); id <= clusters; id++ {
		if refused[id] != nil {
			require.ErrorIs(t, refused[id], diskcheck.ErrDamaged, where)
			continue
		}
		write(t, nodehost, id, writes, writes+1) // all before it is applied then
		for i := range writes {
			value, err := nodehost.StaleRead(id, fmt.Append(nil, i))
			require.NoError(t, err, where)
			require.Equal(t, fmt.Sprint("value ", id, i), string(value.([]byte)), "%s: cluster %d has lost an acknowledged write", where, id)
		}
	}
	if len(refused) > 0 {
		return "replicas are refused"
	}
	return "no harm"
}

// A loss of power tears the logs wherever it strikes, and costs no replica: what was
// acknowledged is there, and nothing is taken for rot.
func TestALossOfPowerIsNoRot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := vfs.NewStrictMem()
		rng := rand.New(rand.NewPCG(3, 4))
		acknowledged := 0
		for range 15 {
			nodehost, refused, err := start(t, disk)
			require.NoError(t, err)
			require.Empty(t, refused)
			for id := uint64(1); id <= clusters; id++ {
				write(t, nodehost, id, acknowledged, acknowledged+1)
				for i := range acknowledged {
					value, err := nodehost.StaleRead(id, fmt.Append(nil, i))
					require.NoError(t, err)
					require.Equal(t, fmt.Sprint("value ", id, i), string(value.([]byte)))
				}
			}
			for id := uint64(1); id <= clusters; id++ {
				write(t, nodehost, id, acknowledged+1, acknowledged+1+rng.IntN(20))
			}
			acknowledged++
			time.Sleep(time.Duration(rng.IntN(3000)) * time.Millisecond)
			disk.SetIgnoreSyncs(true) // what is synced from here on is lost with the power
			for id := uint64(1); id <= clusters; id++ {
				write(t, nodehost, id, 1000, 1000+rng.IntN(20))
			}
			nodehost.Stop()
			disk.ResetToSyncedState()
			disk.SetIgnoreSyncs(false)
		}
	})
}

// A table that was being written when the power was lost is in no manifest. It is no
// damage: Pebble deletes it.
func TestAnUnfinishedTableIsNoRot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		files := written(t)
		table := slices.IndexFunc(slices.Sorted(maps.Keys(files)), func(name string) bool { return strings.HasSuffix(name, ".sst") })
		require.NotEqual(t, -1, table, "there is a table")
		logdb := path.Dir(slices.Sorted(maps.Keys(files))[table])
		for _, left := range []string{"", "the beginning of a table"} {
			files[path.Join(logdb, "000999.sst")] = []byte(left)
			nodehost, refused, err := start(t, diskOf(t, files))
			require.NoError(t, err, "%q is left of it", left)
			require.Empty(t, refused)
			nodehost.Stop()
		}
	})
}
