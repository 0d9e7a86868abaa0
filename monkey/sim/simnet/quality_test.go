// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWhatIsHeldArrivesInAnyOrderLater(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		require.NoError(t, n.SetLink("a", "b", Link{Hold: true}))
		var sent []uint64
		for term := range uint64(20) {
			require.NoError(t, c.SendMessageBatch(batch(term)))
			sent = append(sent, term)
		}
		time.Sleep(time.Minute)
		require.Empty(t, b.got())
		require.NoError(t, n.SetLink("a", "b", Link{}))
		time.Sleep(releaseWithin)
		got := b.got()
		require.NotEqual(t, sent, got, "in order")
		slices.Sort(got)
		require.Equal(t, sent, got)
		require.EqualValues(t, 20, n.Counts("a", "b").Held)
		require.NoError(t, c.SendMessageBatch(batch(21)))
		require.Equal(t, []uint64{21}, b.got(), "nothing waits any more")
	})
}

func TestABatchWithAFlippedBitIsNeverTaken(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		require.NoError(t, n.SetLink("a", "b", Link{Corrupt: 0.5}))
		intact := 0
		for term := range uint64(1000) {
			switch err := c.SendMessageBatch(batch(term)); err {
			case nil:
				intact++
			default:
				require.ErrorIs(t, err, syscall.ECONNRESET)
			}
		}
		time.Sleep(time.Second)
		require.Len(t, b.got(), intact)
		require.EqualValues(t, 1000-intact, n.Counts("a", "b").Corrupted)
		require.InDelta(t, 500, intact, 100)
	})
}

func TestWithLittleBandwidthMessagesWaitAndAreDropped(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		one := batch(1)
		size := one.Size()
		require.NoError(t, n.SetLink("a", "b", Link{Bandwidth: int64(10 * size)}))
		for term := range uint64(100) { // that is ten seconds' worth
			require.NoError(t, c.SendMessageBatch(batch(term+1)))
		}
		time.Sleep(time.Second)
		require.InDelta(t, 10, len(b.got()), 1)
		time.Sleep(time.Minute)
		require.InDelta(t, 10, len(b.got()), 1, "those that would have waited for longer are lost")
		require.NoError(t, c.SendMessageBatch(batch(200)))
		time.Sleep(200 * time.Millisecond)
		require.Equal(t, []uint64{200}, b.got(), "the queue is empty")
	})
}

func TestResetConnectionsLoseWhatIsUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		require.NoError(t, n.SetLink("a", "b", Link{Delay: time.Second}))
		require.NoError(t, c.SendMessageBatch(batch(1)))
		n.ResetConnections("a", "b")
		require.ErrorIs(t, c.SendMessageBatch(batch(2)), syscall.ECONNRESET)
		again := connection(t, a, "b")
		require.NoError(t, again.SendMessageBatch(batch(3)))
		time.Sleep(2 * time.Second)
		require.Equal(t, []uint64{3}, b.got())
	})
}
