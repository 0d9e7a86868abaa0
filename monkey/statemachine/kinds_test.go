// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"bytes"
	"io"
	"strings"
	"sync"
	"testing"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// machine drives one kind as Dragonboat does.
type machine struct {
	kind    string
	update  func(index uint64, command []byte) (sm.Result, error)
	save    func(io.Writer, <-chan struct{}) error
	recover func(io.Reader, <-chan struct{}) error
	lookup  func(any) (any, error)
	reader  interface {
		sm.IExtended
		sm.IHash
	}
}

// each returns a new state machine of each kind.
func each(t *testing.T) []machine { return eachOf(t, vfs.NewMem(), Correct) }

// eachOf returns a state machine of each kind; the one that keeps its state on disk
// may find some there.
func eachOf(t *testing.T, disk vfs.FS, newCore NewCore) []machine {
	r := Regular(newCore)(1, 2).(*regular)
	c := Concurrent(newCore)(1, 2).(*concurrent)
	o := OnDisk(disk, "/kv", newCore)(1, 2).(*onDisk)
	_, err := o.Open(nil)
	require.NoError(t, err)
	// As Dragonboat does, prepare no snapshot beside an update.
	var order sync.RWMutex
	one := func(update func([]sm.Entry) ([]sm.Entry, error)) func(uint64, []byte) (sm.Result, error) {
		return func(index uint64, command []byte) (sm.Result, error) {
			order.Lock()
			defer order.Unlock()
			done, err := update([]sm.Entry{{Index: index, Cmd: command}})
			if err != nil {
				return sm.Result{}, err
			}
			return done[0].Result, nil
		}
	}
	prepared := func(prepare func() (any, error), save func(any, io.Writer, <-chan struct{}) error) func(io.Writer, <-chan struct{}) error {
		return func(w io.Writer, stop <-chan struct{}) error {
			order.RLock()
			state, err := prepare()
			order.RUnlock()
			if err != nil {
				return err
			}
			return save(state, w, stop)
		}
	}
	return []machine{
		{"regular",
			func(_ uint64, command []byte) (sm.Result, error) { return r.Update(command) },
			func(w io.Writer, stop <-chan struct{}) error { return r.SaveSnapshot(w, nil, stop) },
			func(in io.Reader, stop <-chan struct{}) error { return r.RecoverFromSnapshot(in, nil, stop) },
			r.Lookup, r},
		{"concurrent", one(c.Update),
			prepared(c.PrepareSnapshot, func(s any, w io.Writer, stop <-chan struct{}) error { return c.SaveSnapshot(s, w, nil, stop) }),
			func(in io.Reader, stop <-chan struct{}) error { return c.RecoverFromSnapshot(in, nil, stop) },
			c.Lookup, c},
		{"ondisk", one(o.Update), prepared(o.PrepareSnapshot, o.SaveSnapshot), o.RecoverFromSnapshot, o.Lookup, o},
	}
}

func (m machine) digest(t *testing.T) kv.Digest {
	t.Helper()
	data, err := m.reader.NALookup(kv.DigestQuery())
	require.NoError(t, err)
	digest, err := kv.DecodeDigest(data)
	require.NoError(t, err)
	return digest
}

func put(key, value string) []byte {
	return kv.Command{Op: kv.Put, Key: key, Value: kv.Some(value), Writer: value}.Encode()
}

func TestAllKindsDoTheSame(t *testing.T) {
	commands := [][]byte{
		put("a", "1"),
		kv.Command{Op: kv.CAS, Key: "a", Expected: kv.Some("2"), Value: kv.Some("3"), Writer: "w"}.Encode(),
		[]byte("nonsense"),
		kv.Command{Op: kv.Delete, Key: "a", Writer: "w2"}.Encode(),
	}
	statuses := []kv.Status{kv.OK, kv.Mismatch, kv.Invalid, kv.OK}
	var digests []kv.Digest
	for _, m := range each(t) {
		for i, command := range commands {
			result, err := m.update(uint64(i+1), command)
			require.NoError(t, err, m.kind)
			require.Equal(t, uint64(statuses[i]), result.Value, m.kind)
			answer, err := kv.DecodeAnswer(result.Data)
			require.NoError(t, err, m.kind)
			require.Equal(t, statuses[i], answer.Status, m.kind)
		}
		answer, err := m.lookup(kv.GetQuery("a"))
		require.NoError(t, err, m.kind)
		got, err := kv.DecodeAnswer(answer.([]byte))
		require.NoError(t, err, m.kind)
		require.Equal(t, kv.State{Writer: "w2", Index: 4}, got.Observed, m.kind)
		_, err = m.lookup("a")
		require.ErrorContains(t, err, "type string", m.kind)
		hash, err := m.reader.GetHash()
		require.NoError(t, err, m.kind)
		require.Equal(t, m.digest(t).Chain, hash, m.kind)
		digests = append(digests, m.digest(t))
	}
	require.Equal(t, digests[0], digests[1])
	require.Equal(t, digests[0], digests[2])
}

// TestSnapshotsRestoreEveryKind: the three kinds read each other.
func TestSnapshotsRestoreEveryKind(t *testing.T) {
	for _, from := range each(t) {
		_, err := from.update(3, put("a", "1"))
		require.NoError(t, err)
		var snapshot bytes.Buffer
		require.NoError(t, from.save(&snapshot, nil))
		for _, to := range each(t) {
			_, err := to.update(1, put("b", "2"))
			require.NoError(t, err)
			require.NoError(t, to.recover(bytes.NewReader(snapshot.Bytes()), nil))
			require.Equal(t, from.digest(t), to.digest(t), "%s to %s", from.kind, to.kind)
		}
	}
}

func TestPreparedSnapshotDoesNotMove(t *testing.T) {
	c := Concurrent(Correct)(1, 1)
	update := func(index uint64, command []byte) {
		_, err := c.Update([]sm.Entry{{Index: index, Cmd: command}})
		require.NoError(t, err)
	}
	update(1, put("a", "1"))
	prepared, err := c.PrepareSnapshot()
	require.NoError(t, err)
	update(2, put("a", "2"))
	var snapshot bytes.Buffer
	require.NoError(t, c.SaveSnapshot(prepared, &snapshot, nil, nil))
	image, err := kv.ReadImage(&snapshot)
	require.NoError(t, err)
	require.Equal(t, kv.Some("1"), image.Get("a").Value)
	require.ErrorContains(t, c.SaveSnapshot("no", &snapshot, nil, nil), "type string")
}

// TestSnapshotsStopWhenAsked: Dragonboat compares these errors with ==.
func TestSnapshotsStopWhenAsked(t *testing.T) {
	stop := make(chan struct{})
	close(stop)
	for _, m := range each(t) {
		var snapshot bytes.Buffer
		require.NoError(t, m.save(&snapshot, nil))
		require.True(t, m.save(io.Discard, stop) == sm.ErrSnapshotStopped, m.kind)
		require.True(t, m.recover(&snapshot, stop) == sm.ErrSnapshotStopped, m.kind)
		require.True(t, m.save(brokenStream{}, nil) == sm.ErrSnapshotStreaming, m.kind)
		require.ErrorContains(t, m.recover(strings.NewReader("garbage"), nil), "snapshot", m.kind)
	}
	fs := vfs.NewMem()
	o := OnDisk(fs, "/kv", Correct)(1, 1)
	_, err := o.Open(nil)
	require.NoError(t, err)
	require.NoError(t, o.Close())
	_, err = OnDisk(fs, "/kv", Correct)(1, 1).Open(stop)
	require.True(t, err == sm.ErrOpenStopped)
}

type brokenStream struct{}

func (brokenStream) Write([]byte) (int, error) { return 0, sm.ErrSnapshotStreaming }

func TestHostileSnapshotChangesNothing(t *testing.T) {
	for _, m := range each(t) {
		_, err := m.update(1, put("a", "1"))
		require.NoError(t, err)
		before := m.digest(t)
		var snapshot bytes.Buffer
		require.NoError(t, m.save(&snapshot, nil))
		require.Error(t, m.recover(bytes.NewReader(snapshot.Bytes()[:snapshot.Len()-1]), nil), m.kind)
		require.Equal(t, before, m.digest(t), m.kind)
	}
}

// TestReadersAndSnapshotsAtTheSameTime is for the race detector.
func TestReadersAndSnapshotsAtTheSameTime(t *testing.T) {
	for _, m := range each(t)[1:] {
		var group sync.WaitGroup
		done := make(chan struct{})
		for range 2 {
			group.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					_, _ = m.reader.NALookup(kv.GetQuery("a"))
					_, _ = m.reader.NALookup(kv.DigestQuery())
					_ = m.save(io.Discard, nil)
				}
			})
		}
		for i := range 200 {
			_, err := m.update(uint64(i+1), put("a", "1"))
			require.NoError(t, err)
		}
		close(done)
		group.Wait()
	}
}

func TestRegistryRunsAndRemoves(t *testing.T) {
	fs := vfs.NewMem()
	registry := Registry(fs, "/kv", Correct)
	require.Len(t, registry, 3)
	require.NotNil(t, registry[RegularName].Regular)
	require.NotNil(t, registry[ConcurrentName].Concurrent)
	ondisk := registry[OnDiskName]
	machine := ondisk.OnDisk(7, 8)
	_, err := machine.Open(nil)
	require.NoError(t, err)
	require.NoError(t, machine.Close())
	require.NoError(t, ondisk.RemoveData(7, 9), "another node's data stays")
	_, err = fs.Stat("/kv/cluster-7-node-8")
	require.NoError(t, err)
	require.NoError(t, ondisk.RemoveData(7, 8))
	_, err = fs.Stat("/kv/cluster-7-node-8")
	require.Error(t, err)
}

// TestOnDiskOnTheOperatingSystemsFiles opens a real folder twice.
func TestOnDiskOnTheOperatingSystemsFiles(t *testing.T) {
	dir := t.TempDir()
	open := func() (sm.IOnDiskStateMachine, uint64) {
		machine := OnDisk(vfs.Default, dir, Correct)(1, 1)
		index, err := machine.Open(nil)
		require.NoError(t, err)
		return machine, index
	}
	machine, _ := open()
	for index := uint64(1); index <= 3000; index++ { // long enough to begin anew
		_, err := machine.Update([]sm.Entry{{Index: index, Cmd: put("a", "0123456789")}})
		require.NoError(t, err)
		if index%1000 == 0 {
			require.NoError(t, machine.Sync())
		}
	}
	before, err := machine.Lookup(kv.DigestQuery())
	require.NoError(t, err)
	require.NoError(t, machine.Close())
	_, err = machine.Lookup(kv.GetQuery("a"))
	require.NoError(t, err, "Dragonboat may look up after Close")

	machine, index := open()
	require.Equal(t, uint64(3000), index)
	after, err := machine.Lookup(kv.DigestQuery())
	require.NoError(t, err)
	require.Equal(t, before, after)
	require.NoError(t, machine.Close())
	require.NoError(t, removeOnDisk(vfs.Default, dir, 1, 1))
}
