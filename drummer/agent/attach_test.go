// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// slow is a connection that takes its time to send.
type slow struct {
	net.Conn
	bytesPerSecond int
}

func (s *slow) Write(p []byte) (int, error) {
	time.Sleep(time.Duration(len(p)) * time.Second / time.Duration(s.bytesPerSecond))
	return s.Conn.Write(p)
}

// alone starts an agent on a NodeHost of its own.
func alone(t *testing.T, config Config) *Agent {
	listener := NewListener(nil, nil)
	conf := testkit.NodeHostConfig(strings.ToLower(t.Name()), vfs.NewMem())
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	nodehost := testkit.StartNodeHost(t, conf)
	config.Listener = listener
	a, err := New(nodehost, config)
	require.NoError(t, err)
	t.Cleanup(func() {
		a.Close()
		nodehost.Stop()
	})
	return a
}

// A Hello takes as long as the network needs for it: only then the server has
// to answer soon.
func TestLargeHelloOnASlowNetwork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network testkit.Net
		f := startFake(&network, "drummer")
		defer time.Sleep(10 * time.Second) // for what the connection still writes
		defer f.stop()
		a := alone(t, Config{
			Drummers: []string{"drummer"}, Labels: map[string]string{"large": strings.Repeat("x", 8_000_000)},
			Dial: func(ctx context.Context, address string) (net.Conn, error) {
				conn, err := network.Dial(ctx, address)
				return &slow{conn, 1_400_000}, err
			},
		})
		time.Sleep(5 * time.Second)
		require.Empty(t, a.Attached(), "it is still being sent")
		time.Sleep(3 * time.Second)
		require.Equal(t, "drummer", a.Attached())
		f.locked(func() { require.Len(t, f.hellos, 1) })
		a.Close()
	})
}

// Why no server takes an agent on is worth a warning, once.
func TestRefusalsAreLoggedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var network testkit.Net
		var out bytes.Buffer
		a := alone(t, Config{
			Drummers: []string{"nobody", "drummer"}, Dial: network.Dial,
			Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		time.Sleep(time.Minute)
		f := startFake(&network, "drummer")
		defer f.stop()
		f.locked(func() { f.mute = true })
		time.Sleep(3 * time.Second)
		require.Equal(t, "drummer", a.Attached())
		a.Close()
		require.Equal(t, 2, strings.Count(out.String(), "not attached to Drummer"), out.String())
		require.Equal(t, 1, strings.Count(out.String(), "server=nobody"))
	})
}
