// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"bytes"
	"testing"

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
	disk, counts := vfs.NewMem(), &Crossings{}
	const ondisk = 2
	first := eachOf(t, disk, CorrectOf(kv.V1))[ondisk]
	_, err := first.update(1, put("k", "1"))
	require.NoError(t, err)
	var snapshot bytes.Buffer
	require.NoError(t, first.save(&snapshot, nil))
	require.NoError(t, first.recover(bytes.NewReader(snapshot.Bytes()), nil), "what it keeps begins with an image now")
	want := first.digest(t)
	for n, v := range []kv.Version{kv.V2, kv.V1, kv.V2} {
		m := eachOf(t, disk, counts.Watch(v, CorrectOf(v)))[ondisk]
		require.Equal(t, want, m.digest(t), "start %d", n+1)
		snapshot.Reset()
		require.NoError(t, m.save(&snapshot, nil))
		require.NoError(t, m.recover(bytes.NewReader(snapshot.Bytes()), nil))
	}
	require.EqualValues(t, []int64{2, 1}, []int64{counts.Older(), counts.Newer()})
}
