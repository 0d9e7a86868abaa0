// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// record writes facts a second apart, and returns the directory.
func record(t *testing.T, all ...Fact) string {
	t.Helper()
	dir, start := t.TempDir(), time.Now()
	log, err := Create(dir, start)
	require.NoError(t, err)
	for i, f := range all {
		log.AddAt(start.Add(time.Duration(i+1)*time.Second), f)
	}
	require.NoError(t, log.Close())
	return dir
}

// Every type of fact reads back as it was written, whatever its fields hold.
func TestFactsReadBackAsTheyWereWritten(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		var all []Fact
		for _, f := range facts {
			v := reflect.New(reflect.TypeOf(f)).Elem()
			for i := range v.NumField() {
				if v.Field(i).Type() == reflect.TypeFor[*world.Effect]() {
					v.Field(i).Set(reflect.ValueOf(&world.Effect{BytesLost: rapid.Int64().Draw(rt, "bytes")}))
					continue
				}
				fill(rt, v.Field(i))
			}
			all = append(all, v.Interface().(Fact))
		}
		entries, err := readEntries(record(t, all...))
		require.NoError(rt, err)
		require.Len(rt, entries, len(all))
		for i := range all {
			require.Equal(rt, Entry{time.Duration(i+1) * time.Second, all[i]}, entries[i])
		}
	})
}

func fill(rt *rapid.T, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(rapid.String().Draw(rt, "text"))
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(rt, "flag"))
	case reflect.Int, reflect.Int64:
		v.SetInt(rapid.Int64().Draw(rt, "number"))
	case reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(rt, "id"))
	case reflect.Slice:
		v.Set(reflect.ValueOf(rapid.SliceOfN(rapid.String(), 1, 3).Draw(rt, "texts")))
	default:
		rt.Fatalf("a fact has a field of kind %s, which this test can't fill", v.Kind())
	}
}

func TestInjectionsArePairedWithTheirEnds(t *testing.T) {
	tl, err := Read(record(t,
		PhaseBegan{Faults}, // 1 s
		InjectionBegan{ID: 1, Fault: "kill", Target: "nodehost", Hosts: []string{"a"}, Planned: time.Second, Waited: "no leader", Effect: &world.Effect{ProcessesEnded: 1}},
		InjectionBegan{ID: 2, Fault: "partition", Hosts: []string{"a", "b"}, Planned: 3 * time.Second}, // 3 s
		QuorumLost{Cluster: 7}, // 4 s
		InjectionEnded{ID: 1},  // 5 s
		InjectionSkipped{ID: 3, Fault: "wipe", Forever: true, Exact: true, Reason: "no target"}, // 6 s
		QuorumRegained{Cluster: 7},                                  // 7 s
		PhaseBegan{Heal},                                            // 8 s
		InjectionEnded{ID: 2, Effect: &world.Effect{}},              // 9 s
		InjectionBegan{ID: 4, Fault: "lossy", Hosts: []string{"b"}}, // 10 s, never ended
	))
	require.NoError(t, err)
	s := time.Second
	require.Equal(t, []Injection{
		{ID: 1, Fault: "kill", Target: "nodehost", Hosts: []string{"a"}, Planned: s, Reason: "no leader", Span: Span{2 * s, 5 * s}, Ended: true, Effect: world.Effect{ProcessesEnded: 1}, Measured: true},
		{ID: 2, Fault: "partition", Hosts: []string{"a", "b"}, Planned: 3 * s, Span: Span{3 * s, 9 * s}, Ended: true, Measured: true},
		{ID: 3, Fault: "wipe", Forever: true, Exact: true, Skipped: true, Reason: "no target", Span: Span{6 * s, 6 * s}},
		{ID: 4, Fault: "lossy", Hosts: []string{"b"}, Span: Span{10 * s, 10 * s}},
	}, tl.Injections)
	require.Equal(t, []bool{true, false, false, false}, []bool{tl.Injections[0].TookEffect(), tl.Injections[1].TookEffect(), tl.Injections[2].TookEffect(), tl.Injections[3].TookEffect()})
	require.Equal(t, s, tl.Injections[0].Late())
	require.Zero(t, tl.Injections[1].Late())
	require.Equal(t, []Outage{{7, Span{4 * s, 7 * s}}}, tl.Outages)
	require.Equal(t, map[string][]Span{"a": {{2 * s, 5 * s}, {3 * s, 9 * s}}, "b": {{3 * s, 9 * s}, {10 * s, 10 * s}}}, tl.FaultsOn())
	faults, ok := tl.Phase(Faults)
	require.True(t, ok)
	require.Equal(t, Span{s, 8 * s}, faults)
	_, ok = tl.Phase(Probe)
	require.False(t, ok)
}

// Leaders are announced before they are written down; a Timeline is in the order
// in which things happened.
func TestEntriesAreInTheOrderOfTheirTimes(t *testing.T) {
	dir, start := t.TempDir(), time.Now()
	log, err := Create(dir, start)
	require.NoError(t, err)
	log.AddAt(start.Add(2*time.Second), PhaseBegan{Launch})
	log.AddAt(start.Add(time.Second), LeaderAnnounced{Cluster: 1, Node: 2, Leader: 2, Term: 3})
	require.NoError(t, log.Close())
	tl, err := Read(dir)
	require.NoError(t, err)
	require.Equal(t, "leader", tl.Entries[0].Kind())
	require.Equal(t, 2*time.Second, tl.End)
}

func TestATornLastLineIsLeftOut(t *testing.T) {
	dir := record(t, PhaseBegan{Boot}, PhaseBegan{Launch}, PhaseBegan{WarmUp})
	path := filepath.Join(dir, FileName)
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, b[:len(b)-9], 0o644))
	tl, err := Read(dir)
	require.NoError(t, err)
	require.Len(t, tl.Entries, 2)
	require.Equal(t, 2*time.Second, tl.Entries[1].At)
}

func TestABadLineIsToldWithItsNumber(t *testing.T) {
	for name, line := range map[string]string{
		"not JSON":        "}{",
		"unknown kind":    `{"at_ns":1,"kind":"miracle"}`,
		"field of a type": `{"at_ns":1,"kind":"leader","term":"first"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			require.NoError(t, os.WriteFile(filepath.Join(dir, FileName), []byte(`{"at_ns":0,"kind":"phase","text":"boot"}`+"\n"+line+"\n{}\n"), 0o644))
			_, err := Read(dir)
			require.ErrorContains(t, err, FileName+":2: not an event of a run")
		})
	}
}

func TestARunWithoutEventsHasAnEmptyTimeline(t *testing.T) {
	tl, err := Read(t.TempDir())
	require.NoError(t, err)
	require.Empty(t, tl.Entries)
}
