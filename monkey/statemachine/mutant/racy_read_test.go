// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

func newRacy(t *testing.T) (*racy, *Strikes) {
	strikes := &Strikes{}
	newCore, err := New(Config{Kind: "racy-read", Strikes: strikes})
	require.NoError(t, err)
	r := newCore(1, 1).(*racy)
	r.Apply(1, kv.Command{Op: kv.Put, Key: "k", Value: kv.Some("v"), Writer: "w"}.Encode())
	return r, strikes
}

func TestRacyReadIsCorrectOneAfterTheOther(t *testing.T) {
	r, strikes := newRacy(t)
	for range 3 {
		require.Equal(t, r.Store.Lookup(kv.GetQuery("k")), r.Lookup(kv.GetQuery("k")))
		require.Equal(t, r.Store.Lookup(kv.DigestQuery()), r.Lookup(kv.DigestQuery()))
	}
	r.Apply(2, kv.Command{Op: kv.Delete, Key: "k"}.Encode())
	require.Equal(t, r.Store.Lookup(kv.GetQuery("k")), r.Lookup(kv.GetQuery("k")), "an update empties the map")
	require.Zero(t, strikes.Count())
	require.EqualValues(t, 2, strikes.Occasions())
}

func TestRacyReadThatIsOvertaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, strikes := newRacy(t)
		r.meter.mu.Lock() // holds the first get where it may be preempted
		first := make(chan []byte, 1)
		go func() { first <- r.Lookup(kv.GetQuery("k")) }()
		for strikes.Occasions() == 0 {
			runtime.Gosched()
		}
		second := r.Lookup(kv.GetQuery("k"))
		r.meter.mu.Unlock()
		want := r.Store.Lookup(kv.GetQuery("k"))
		require.NotEqual(t, want, second)
		require.Equal(t, want, <-first)
		require.EqualValues(t, 1, strikes.Count())
	})
}
