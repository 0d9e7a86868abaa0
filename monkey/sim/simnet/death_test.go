// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"context"
	"io"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestHalfAHealLeavesTheStreamStalled(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		n.Cut("a", "b")
		write(t, s, "x")
		_, err := readErr(s) // gives up
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		write(t, c, "y")
		require.NoError(t, n.SetLink("a", "b", Link{})) // b's answers are still cut off
		took, err := readErr(c)
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.Equal(t, stallTimeout, took)
	})
}

func TestHeldBytesDieWithTheirSender(t *testing.T) {
	for _, reset := range []bool{true, false} {
		inBubble(t, func(t *testing.T, n *Network) {
			c, s := connected(t, n)
			n.Cut("a", "b")
			write(t, c, "never sent again")
			n.Down("a", reset)
			n.HealAll()
			n.Up("a")
			require.NoError(t, s.SetReadDeadline(time.Now().Add(time.Minute)))
			k, err := s.Read(make([]byte, 100))
			require.Zero(t, k)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded, "nobody was there to tell")
		})
	}
}

func TestWhatHadArrivedBeforeAPowerLossNeedsNoAnswer(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, _ := connected(t, n)
		write(t, c, "acknowledged by the kernel, read by nobody")
		time.Sleep(time.Second)
		n.Down("b", false)
		n.Up("b")
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err := readErr(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

func TestBytesUnderWayToADyingHostAreHeld(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, _ := connected(t, n)
		require.NoError(t, n.SetLink("a", "b", Link{Delay: time.Second}))
		write(t, c, "too late")
		time.Sleep(time.Second / 2)
		n.Down("b", false)
		require.EqualValues(t, 8, n.Counts("a", "b").BytesHeld)
		took, err := readErr(c)
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.Equal(t, stallTimeout, took)
	})
}

func TestResetOvertakesBytesUnderWay(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		require.NoError(t, n.SetLink("b", "a", Link{Delay: time.Second}))
		write(t, s, "arrived")
		time.Sleep(time.Second)
		write(t, s, "under way")
		n.Down("b", true)
		got, err := io.ReadAll(c)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, "arrived", string(got))
		time.Sleep(2 * time.Second)
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
	})
}

func TestCloseFreesAWriterAndForgetsTheStream(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		done := make(chan error, 1)
		go func() {
			_, err := c.Write(make([]byte, 2*window))
			done <- err
		}()
		synctest.Wait()
		require.NoError(t, s.Close())
		require.ErrorIs(t, <-done, syscall.ECONNRESET)
		require.NoError(t, c.Close())
		require.Empty(t, n.link("a", "b").pipes)
		require.Empty(t, n.link("b", "a").pipes)
		require.Empty(t, n.host("a").proc.conns)
		require.Empty(t, n.host("b").proc.conns)
	})
}

func TestClosedListenerResetsWhoWasNotAccepted(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		l, err := n.Listen("b", "b:api")
		require.NoError(t, err)
		c, err := n.Dialer("a")(context.Background(), "b:api")
		require.NoError(t, err)
		require.NoError(t, l.Close())
		_, err = c.Read(make([]byte, 1))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = n.Dialer("a")(context.Background(), "b:api")
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	})
}

func TestDialThatIsCutOffOnItsWayBeginsAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		_, err := n.Listen("b", "b:api")
		require.NoError(t, err)
		require.NoError(t, n.SetLink("a", "b", Link{Delay: time.Second}))
		time.AfterFunc(500*time.Millisecond, func() { n.Cut("a", "b") })
		time.AfterFunc(5*time.Second, func() { n.Heal("a", "b") })
		start := time.Now()
		_, err = n.Dialer("a")(context.Background(), "b:api")
		require.NoError(t, err)
		require.Equal(t, 6*time.Second, time.Since(start))
	})
}

func TestStreamsOnTheRealClock(t *testing.T) {
	n := New(Config{Seed: 1})
	defer n.Close()
	c, s := connected(t, n)
	require.NoError(t, n.SetLink("a", "b", Link{Delay: 20 * time.Millisecond}))
	for range 5 {
		write(t, c, "ping")
		_, took := readAll(t, s, 4)
		require.GreaterOrEqual(t, took, 15*time.Millisecond)
		write(t, s, "pong")
		readAll(t, c, 4)
	}
	n.Down("b", true)
	_, err := readErr(c)
	require.ErrorIs(t, err, syscall.ECONNRESET)
}
