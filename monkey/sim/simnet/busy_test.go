// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestABusyHostSendsWhenItsWorkIsDone(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		busy := n.Busy("a")
		busy(20 * time.Millisecond)
		busy(10 * time.Millisecond) // at the same time
		require.NoError(t, c.SendMessageBatch(batch(1)))
		time.Sleep(19 * time.Millisecond)
		require.Empty(t, b.got())
		time.Sleep(2 * time.Millisecond)
		require.Equal(t, []uint64{1}, b.got())
		require.NoError(t, c.SendMessageBatch(batch(2)))
		require.Equal(t, []uint64{2}, b.got(), "it is busy no more")
		require.Equal(t, Counts{Delivered: 2}, n.Counts("a", "b"))
	})
}

func TestWhatABusyHostHasNotSentDiesWithItsProcess(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		a, b := boot(t, n, "a"), boot(t, n, "b")
		c := connection(t, a, "b")
		client, server := connected(t, n)
		busy := n.Busy("a")
		write(t, client, "before")
		busy(20 * time.Millisecond)
		require.NoError(t, c.SendMessageBatch(batch(1)))
		write(t, client, "after")
		time.Sleep(10 * time.Millisecond)
		n.Down("a", true)
		time.Sleep(time.Second)
		require.Empty(t, b.got())
		got, _ := io.ReadAll(server)
		require.Equal(t, "before", string(got))
		require.EqualValues(t, 1, n.Counts("a", "b").Dead)
	})
}

func TestWorkOfADeadProcessDoesNotHinderTheNextOne(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		boot(t, n, "a")
		b := boot(t, n, "b")
		busy := n.Busy("a")
		n.Up("a")
		busy(time.Hour)
		require.NoError(t, connection(t, boot(t, n, "a"), "b").SendMessageBatch(batch(1)))
		require.Equal(t, []uint64{1}, b.got())
	})
}
