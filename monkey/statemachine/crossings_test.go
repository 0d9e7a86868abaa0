// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"bytes"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// TestEachVersionReadsTheOther has a snapshot of each version read by each, in every
// kind: the replica that comes of it is the same, and what crosses is counted.
func TestEachVersionReadsTheOther(t *testing.T) {
	for _, of := range []kv.Version{kv.V1, kv.V2} {
		for _, by := range []kv.Version{kv.V1, kv.V2} {
			counts := &Crossings{}
			writers, readers := eachOf(t, vfs.NewMem(), CorrectOf(of)), eachOf(t, vfs.NewMem(), counts.Watch(by, CorrectOf(by)))
			for i, m := range writers {
				_, err := m.update(1, put("key-1", "1"))
				require.NoError(t, err)
				var snapshot bytes.Buffer
				require.NoError(t, m.save(&snapshot, nil))
				require.NoError(t, readers[i].recover(bytes.NewReader(snapshot.Bytes()), nil), "%s, by %d", m.kind, by)
				_, err = m.update(2, put("key-2", "2"))
				require.NoError(t, err)
				_, err = readers[i].update(2, put("key-2", "2"))
				require.NoError(t, err)
				require.Equal(t, m.digest(t), readers[i].digest(t), m.kind)
			}
			older, newer := 0, 0
			if of < by {
				older = len(writers)
			}
			if of > by {
				newer = len(writers)
			}
			require.EqualValues(t, older, counts.Older(), "%d read by %d", of, by)
			require.EqualValues(t, newer, counts.Newer(), "%d read by %d", of, by)
		}
	}
}

// A host that is upgraded, and set back again, opens what it finds on its disk.
func TestAnOnDiskStateMachineOpensWhatTheOtherVersionLeft(t *testing.T) {
	disk, counts, want := vfs.NewMem(), &Crossings{}, kv.Digest{}
	for n, v := range []kv.Version{kv.V1, kv.V2, kv.V1, kv.V2} {
		m := OnDisk(disk, "/kv", counts.Watch(v, CorrectOf(v)))(1, 2).(*onDisk)
		_, err := m.Open(nil)
		require.NoError(t, err, "start %d", n+1)
		require.Equal(t, want, m.digest(), "start %d", n+1)
		_, err = m.Update([]sm.Entry{{Index: uint64(n + 1), Cmd: put("k", "1")}})
		require.NoError(t, err)
		require.NoError(t, m.journal.Restart(m.saveNow), "it begins with an image of this version now")
		want = m.digest()
		require.NoError(t, m.Close())
	}
	require.EqualValues(t, []int64{2, 1}, []int64{counts.Older(), counts.Newer()})
}
