// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"io"
	"testing"

	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
)

func TestWhatWasWrittenSurvivesALossOfPower(t *testing.T) {
	disk := vfs.NewStrictMem()
	require.NoError(t, disk.MkdirAll("dir", 0o755))
	root, err := disk.OpenDir("")
	require.NoError(t, err)
	require.NoError(t, root.Sync())
	f := In(config.NodeHostConfig{NodeHostDir: "dir", Expert: config.ExpertConfig{FS: disk}}, "f")
	lose := func(while func()) {
		disk.SetIgnoreSyncs(true)
		while()
		disk.ResetToSyncedState()
		disk.SetIgnoreSyncs(false)
	}
	data, err := f.Read(10)
	require.NoError(t, err)
	require.Nil(t, data, "there is no file yet")
	for _, text := range []string{"one", "", "three"} {
		require.NoError(t, f.Write([]byte(text)))
		lose(func() { require.NoError(t, f.Write([]byte("never synced"))) })
		data, err = f.Read(10)
		require.NoError(t, err)
		require.Equal(t, text, string(data))
		require.NotNil(t, data)
	}
	_, err = f.Read(4)
	require.ErrorContains(t, err, "more than")
}

func TestAFileThatCantBeWrittenIsAnError(t *testing.T) {
	f := In(config.NodeHostConfig{NodeHostDir: "nowhere", Expert: config.ExpertConfig{FS: vfs.NewMem()}}, "f")
	require.ErrorContains(t, f.Write(nil), "nowhere/f.new can't be written")
}

func TestEveryFlippedBitIsFound(t *testing.T) {
	disk := vfs.NewMem()
	require.NoError(t, disk.MkdirAll("dir", 0o755))
	f := In(config.NodeHostConfig{NodeHostDir: "dir", Expert: config.ExpertConfig{FS: disk}}, "f")
	require.NoError(t, f.Write([]byte("7 1234567\n")))
	file, err := disk.Open(f.Path())
	require.NoError(t, err)
	whole, err := io.ReadAll(file)
	require.NoError(t, err)
	for bit := range 8 * len(whole) {
		damaged := append([]byte(nil), whole...)
		damaged[bit/8] ^= 1 << (bit % 8)
		file, err := disk.Create(f.Path())
		require.NoError(t, err)
		_, err = file.Write(damaged)
		require.NoError(t, err)
		_, err = f.Read(100)
		require.ErrorIs(t, err, ErrDamaged, "bit %d", bit)
	}
}
