// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// slow runs f in a bubble with a network whose links have a latency.
func slow(t *testing.T, slot time.Duration, f func(t *testing.T, n *Network)) {
	t.Helper()
	const ms = scenarios.Duration(time.Millisecond)
	of := latency.Of(scenarios.Latency{Min: ms / 2, Median: 2 * ms, P99: 20 * ms})
	synctest.Test(t, func(t *testing.T) {
		n := New(Config{Seed: 1, Slot: slot, Latency: func(string, string) latency.Distribution { return of }})
		defer n.Close()
		f(t, n)
	})
}

func TestMessagesOvertakeBetweenConnectionsOnly(t *testing.T) {
	slow(t, time.Millisecond, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		odd, even := connection(t, a, "b"), connection(t, a, "b")
		const messages = 200
		for i := uint64(0); i < messages; i += 2 {
			require.NoError(t, even.SendMessageBatch(batch(i)))
			require.NoError(t, odd.SendMessageBatch(batch(i+1)))
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		got := b.got()
		require.Len(t, got, messages)
		require.False(t, slices.IsSorted(got), "no message overtook another")
		for parity := range uint64(2) {
			of := slices.DeleteFunc(slices.Clone(got), func(i uint64) bool { return i%2 != parity })
			require.Len(t, of, messages/2)
			require.True(t, slices.IsSorted(of), "messages of one connection overtook each other")
		}
		require.Equal(t, Counts{Delivered: messages}, n.Counts("a", "b"), "the latency of a link is not a delay that a fault makes")
	})
}

func TestArrivalsAreRoundedUpToSlots(t *testing.T) {
	const slot = 5 * time.Millisecond
	slow(t, slot, func(t *testing.T, n *Network) {
		began := time.Now()
		c, s := connected(t, n)
		require.Positive(t, time.Since(began), "a dial takes a round trip")
		for range 20 {
			time.Sleep(time.Microsecond)
			sent := time.Now()
			write(t, c, "one")
			readAll(t, s, 3)
			require.Zero(t, time.Since(began)%slot)
			require.Greater(t, time.Since(sent), 500*time.Microsecond)
		}
	})
}

func TestStreamsOfALinkWithLatencyStayInOrder(t *testing.T) {
	slow(t, 0, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		var sent []byte
		for i := range byte(100) {
			write(t, c, string([]byte{i}))
			sent = append(sent, i)
			time.Sleep(100 * time.Microsecond)
		}
		require.NoError(t, c.Close())
		got, err := io.ReadAll(s)
		require.NoError(t, err)
		require.Equal(t, sent, got)
	})
}

func TestAHostReachesItselfAtOnce(t *testing.T) {
	slow(t, time.Millisecond, func(t *testing.T, n *Network) {
		l, err := n.Listen("a", "a:api")
		require.NoError(t, err)
		defer l.Close()
		began := time.Now()
		c, err := n.Dialer("a")(context.Background(), "a:api")
		require.NoError(t, err)
		s, err := l.Accept()
		require.NoError(t, err)
		write(t, c, "one")
		readAll(t, s, 3)
		require.Zero(t, time.Since(began))
	})
}

func TestADelayIsAddedToTheLatencyAndCounted(t *testing.T) {
	slow(t, 0, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		require.NoError(t, n.SetLink("a", "b", Link{Delay: time.Second}))
		require.NoError(t, c.SendMessageBatch(batch(1)))
		time.Sleep(time.Second)
		synctest.Wait()
		require.Empty(t, b.got())
		time.Sleep(time.Second)
		require.Equal(t, []uint64{1}, b.got())
		require.Equal(t, Counts{Delivered: 1, Delayed: 1}, n.Counts("a", "b"))
	})
}
