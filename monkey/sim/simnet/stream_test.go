// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// inBubble runs f with a network in a bubble.
func inBubble(t *testing.T, f func(t *testing.T, n *Network)) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Config{Seed: 1})
		defer n.Close()
		f(t, n)
	})
}

// inBubbleCheck checks a property in a bubble, where a test may not be asked
// for its deadline.
func inBubbleCheck(t *testing.T, property func(*rapid.T)) {
	synctest.Test(t, func(t *testing.T) { rapid.Check(struct{ rapid.TB }{t}, property) })
}

// connected opens a stream from host a to host b.
func connected(t require.TestingT, n *Network) (client, server net.Conn) {
	l, err := n.Listen("b", "b:api")
	require.NoError(t, err)
	defer l.Close()
	client, err = n.Dialer("a")(context.Background(), "b:api")
	require.NoError(t, err)
	server, err = l.Accept()
	require.NoError(t, err)
	return client, server
}

// readAll reads n bytes and returns how long that took.
func readAll(t *testing.T, c net.Conn, n int) (string, time.Duration) {
	t.Helper()
	start := time.Now()
	buf := make([]byte, n)
	_, err := io.ReadFull(c, buf)
	require.NoError(t, err)
	return string(buf), time.Since(start)
}

func write(t *testing.T, c net.Conn, s string) {
	t.Helper()
	n, err := io.WriteString(c, s)
	require.NoError(t, err)
	require.Equal(t, len(s), n)
}

// readErr waits for the error at the end of a stream.
func readErr(c net.Conn) (took time.Duration, err error) {
	start := time.Now()
	_, err = io.Copy(io.Discard, c)
	return time.Since(start), err
}

func TestStreamCarriesBytesBothWaysAndEnds(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		require.Equal(t, "b:api", c.RemoteAddr().String())
		require.Equal(t, c.LocalAddr(), s.RemoteAddr())
		write(t, c, "question")
		got, took := readAll(t, s, 8)
		require.Equal(t, "question", got)
		require.Zero(t, took)
		write(t, s, "answer")
		require.NoError(t, s.Close())
		data, err := io.ReadAll(c)
		require.NoError(t, err)
		require.Equal(t, "answer", string(data))
		_, err = c.Write([]byte("x"))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.NoError(t, c.Close())
		require.ErrorIs(t, c.Close(), net.ErrClosed)
	})
}

func TestStreamIsDelayed(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		require.NoError(t, n.SetLink("a", "b", Link{Delay: 30 * time.Millisecond}))
		write(t, c, "one")
		_, took := readAll(t, s, 3)
		require.Equal(t, 30*time.Millisecond, took)
		write(t, s, "two")
		_, took = readAll(t, c, 3)
		require.Zero(t, took)
	})
}

func TestWriterWaitsForTheReader(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		sent := bytes.Repeat([]byte("0123456789"), window/5)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err := c.Write(sent)
			assert.NoError(t, err)
		}()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("a write of twice the window did not wait")
		default:
		}
		got, _ := readAll(t, s, len(sent))
		require.Equal(t, string(sent), got)
		<-done
	})
}

func TestDeadlinesEndWaiting(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, _ := connected(t, n)
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Second)))
		took, err := readErr(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.True(t, err.(net.Error).Timeout())
		require.Equal(t, time.Second, took)
		require.NoError(t, c.SetReadDeadline(time.Time{}))
		time.AfterFunc(time.Hour, func() { c.SetReadDeadline(time.Now()) })
		took, err = readErr(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		require.Equal(t, time.Hour, took)

		require.NoError(t, c.SetWriteDeadline(time.Now().Add(time.Minute)))
		k, err := c.Write(make([]byte, window+1))
		require.Equal(t, window, k)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

func TestCutHoldsBytesUntilHealed(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		require.NoError(t, n.SetLink("a", "b", Link{Delay: 50 * time.Millisecond}))
		write(t, c, "in flight ")
		n.Cut("a", "b")
		write(t, c, "held")
		time.AfterFunc(10*time.Second, func() { n.Heal("a", "b") })
		got, took := readAll(t, s, 14)
		require.Equal(t, "in flight held", got)
		require.GreaterOrEqual(t, took, 10*time.Second)
		require.Less(t, took, 11*time.Second)
		require.EqualValues(t, 14, n.Counts("a", "b").BytesHeld)
		require.EqualValues(t, 14, n.Counts("a", "b").BytesDelivered)
		time.Sleep(time.Hour)
		write(t, c, "still open")
	})
}

func TestLongCutResetsWhoHasSentSomething(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		n.Cut("a", "b")
		write(t, c, "x")
		took, err := readErr(c)
		require.ErrorIs(t, err, syscall.ETIMEDOUT)
		require.Equal(t, stallTimeout, took)

		// the other end knows nothing until it sends and packets pass
		require.NoError(t, s.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err = readErr(s)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		n.HealAll()
		_, err = s.Write([]byte("y"))
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.EqualValues(t, 2, n.Total().Resets)
	})
}

func TestKillResetsPeersAtOnce(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		write(t, s, "last words")
		time.AfterFunc(time.Second, func() { n.Down("b", true) })
		time.AfterFunc(2*time.Second, func() { write(t, c, "") })
		got, _ := readAll(t, c, 10)
		require.Equal(t, "last words", got)
		took, err := readErr(c)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, time.Second, took)
		_, err = s.Write([]byte("late"))
		require.Error(t, err)
		_, err = n.Dialer("a")(context.Background(), "b:api")
		require.ErrorIs(t, err, syscall.ECONNREFUSED)
	})
}

func TestKillBehindACutIsNoticedAfterwards(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, _ := connected(t, n)
		n.Cut("a", "b")
		n.Down("b", true)
		write(t, c, "x")
		time.AfterFunc(5*time.Second, n.HealAll)
		took, err := readErr(c)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, 5*time.Second, took)
	})
}

func TestPowerLossIsSilentUntilTheHostIsBack(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, s := connected(t, n)
		n.Down("b", false)
		write(t, c, "into the dark")
		require.EqualValues(t, 13, n.Counts("a", "b").BytesHeld)
		ctx, cancel := context.WithTimeout(context.Background(), 3*time.Second)
		defer cancel()
		_, err := n.Dialer("a")(ctx, "b:api")
		require.ErrorIs(t, err, context.DeadlineExceeded)
		time.AfterFunc(10*time.Second, func() { n.Up("b") })
		took, err := readErr(c)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, 10*time.Second, took)
		_, err = s.Read(make([]byte, 1))
		require.Error(t, err, "the end of an old incarnation works again")
	})
}

func TestIdleConnectionToARebootedHostIsResetWhenUsed(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		c, _ := connected(t, n)
		n.Down("b", false)
		n.Up("b")
		require.NoError(t, c.SetReadDeadline(time.Now().Add(time.Hour)))
		_, err := readErr(c)
		require.ErrorIs(t, err, os.ErrDeadlineExceeded)
		_, err = c.Write([]byte("x"))
		require.ErrorIs(t, err, syscall.ECONNRESET)
	})
}

func TestIncarnationsAreApart(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		dialOld := n.Dialer("a")
		old, err := n.Listen("b", "b:api")
		require.NoError(t, err)
		_, err = n.Listen("b", "b:api")
		require.ErrorIs(t, err, syscall.EADDRINUSE)
		n.Down("b", false)
		_, err = old.Accept()
		require.ErrorIs(t, err, net.ErrClosed)
		_, err = n.Listen("b", "b:api")
		require.Error(t, err, "the host is down")
		n.Up("b")
		l, err := n.Listen("b", "b:api")
		require.NoError(t, err)
		require.NoError(t, old.Close(), "and it does not take the new listener with it")
		n.Up("a")
		_, err = dialOld(context.Background(), "b:api")
		require.ErrorIs(t, err, errGhost)
		_, err = n.Dialer("a")(context.Background(), "b:api")
		require.NoError(t, err)
		_, err = l.Accept()
		require.NoError(t, err)
	})
}

func TestDialWaitsForACutToHeal(t *testing.T) {
	inBubble(t, func(t *testing.T, n *Network) {
		_, err := n.Listen("b", "b:api")
		require.NoError(t, err)
		n.CutOneWay("b", "a") // its answer does not pass
		time.AfterFunc(7*time.Second, func() { n.Heal("a", "b") })
		start := time.Now()
		_, err = n.Dialer("a")(context.Background(), "b:api")
		require.NoError(t, err)
		require.Equal(t, 7*time.Second, time.Since(start))

		n.Cut("a", "b")
		_, err = n.Dialer("a")(context.Background(), "b:api")
		require.True(t, errors.Is(err, context.DeadlineExceeded), err)
		_, err = n.Dialer("a")(context.Background(), "nowhere:api")
		require.ErrorContains(t, err, "there is no host nowhere")
		_, err = n.Dialer("a")(context.Background(), "b")
		require.ErrorContains(t, err, "host:name")
	})
}

// TestStreamsLoseNothing writes through links of changing quality, never cut
// for so long that the stream is given up, and reads everything in order.
func TestStreamsLoseNothing(t *testing.T) {
	inBubbleCheck(t, streamThrough)
}

func streamThrough(t *rapid.T) {
	n := New(Config{Seed: rapid.Uint64().Draw(t, "seed")})
	defer n.Close()
	c, s := connected(t, n)
	var read bytes.Buffer
	var reader sync.WaitGroup
	slow := pause.Draw(t, "reader's pause") / 10
	reader.Go(func() {
		buf := make([]byte, 10000)
		for {
			k, err := s.Read(buf)
			read.Write(buf[:k])
			if err != nil {
				if err != io.EOF {
					t.Errorf("read: %v", err)
				}
				return
			}
			time.Sleep(slow)
		}
	})
	var sent []byte
	for i := range rapid.IntRange(1, 20).Draw(t, "writes") {
		q := anyLink(t)
		require.NoError(t, n.SetLink("a", "b", q))
		if q.Cut {
			time.AfterFunc(stallTimeout/2, func() { n.Heal("a", "b") })
		}
		p := bytes.Repeat([]byte{byte(i)}, rapid.SampledFrom([]int{0, 1, 100, window - 1, window, 3 * window}).Draw(t, "length"))
		k, err := c.Write(p)
		require.NoError(t, err)
		require.Equal(t, len(p), k)
		sent = append(sent, p...)
		time.Sleep(pause.Draw(t, "pause"))
	}
	n.HealAll()
	require.NoError(t, c.Close())
	reader.Wait()
	require.True(t, bytes.Equal(sent, read.Bytes()), "sent %d bytes, read %d", len(sent), read.Len())
	require.EqualValues(t, len(sent), n.Counts("a", "b").BytesDelivered)
	time.Sleep(stallTimeout) // for the timers that heal
}

func TestPartitionLeavesHostsInNoGroupAlone(t *testing.T) {
	n := New(Config{Seed: 1})
	defer n.Close()
	n.Partition([]string{"a", "b"}, []string{"c"})
	for _, tc := range []struct {
		from, to string
		cut      bool
	}{{"a", "b", false}, {"a", "c", true}, {"c", "b", true}, {"clients", "c", false}} {
		require.Equal(t, tc.cut, n.Link(tc.from, tc.to).Cut, "%s to %s", tc.from, tc.to)
	}
	require.Error(t, n.SetLink("a", "b", Link{Drop: 1.5}))
	require.Error(t, n.SetLink("a", "b", Link{Delay: -1}))
	require.Error(t, n.SetLink("a", "a", Link{}))
}

func TestChanceComesFromTheSeed(t *testing.T) {
	draw := func(seed uint64) (ds [20]time.Duration) {
		n := New(Config{Seed: seed})
		defer n.Close()
		require.NoError(t, n.SetLink("a", "b", Link{Jitter: time.Second, Drop: 0.3}))
		for i := range ds {
			ds[i], _ = n.link("a", "b").streamLatency()
		}
		return ds
	}
	require.Equal(t, draw(7), draw(7))
	require.NotEqual(t, draw(7), draw(8))
}
