// SPDX-License-Identifier: Apache-2.0

package rpc_test

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testca"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

func TestTLSFilesAreAllOrNone(t *testing.T) {
	certs, err := rpc.TLSFiles{}.Load(nil)
	require.NoError(t, err)
	require.Nil(t, certs.Server())
	require.Nil(t, certs.Client())
	_, err = rpc.TLSFiles{CA: "ca.pem"}.Load(nil)
	require.ErrorContains(t, err, "needs a CA, a certificate and a key")
	_, err = rpc.TLSFiles{CA: "missing", Cert: "c", Key: "k"}.Load(nil)
	require.ErrorContains(t, err, "CA file can't be read")
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, []byte("not PEM"), 0o600))
	_, err = rpc.TLSFiles{CA: path, Cert: path, Key: path}.Load(nil)
	require.ErrorContains(t, err, "holds no PEM certificate")

	ours, other := testca.New(t).WriteFiles(t.TempDir(), role.Identity{}), testca.New(t).WriteFiles(t.TempDir(), role.Identity{})
	_, err = rpc.TLSFiles{CA: ours.CA, Cert: other.Cert, Key: other.Key}.Load(nil)
	require.ErrorContains(t, err, "no good with the CA")
	_, err = rpc.TLSFiles{CA: ours.CA, Cert: ours.Cert, Key: other.Key}.Load(nil)
	require.ErrorContains(t, err, "can't be loaded")
}

// lines is a log that may be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// take returns what was logged since the last time.
func (l *lines) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := l.buf.String()
	l.buf.Reset()
	return text
}

// naming is a server that notes by which certificate a call came, and answers with
// that by its status.
type naming struct{ pb.UnimplementedDrummerServer }

func (naming) Status(ctx context.Context, _ *pb.StatusRequest) (*pb.StatusResponse, error) {
	p, _ := peer.FromContext(ctx)
	return &pb.StatusResponse{Server: p.AuthInfo.(credentials.TLSInfo).State.PeerCertificates[0].Subject.CommonName}, nil
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o600))
}

// Files that change are read again: connections that stand go on, new ones use what is
// new, also another CA, and files that can't be used change nothing but the log.
func TestChangedFilesAreReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		oldCA, newCA := testca.New(t), testca.New(t)
		first := oldCA.WriteFiles(filepath.Join(dir, "first"), role.Identity{Name: "first"}, "server")
		second := newCA.WriteFiles(filepath.Join(dir, "second"), role.Identity{Name: "second"}, "server")
		used := rpc.TLSFiles{CA: filepath.Join(dir, "ca"), Cert: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
		use := func(f rpc.TLSFiles) {
			copyFile(t, f.CA, used.CA)
			copyFile(t, f.Cert, used.Cert)
			copyFile(t, f.Key, used.Key)
		}
		use(first)
		certs, err := used.Load(nil)
		require.NoError(t, err)
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		var log lines
		go certs.Follow(ctx, slog.New(slog.NewTextHandler(&log, nil)))

		var network testkit.Net
		server := rpc.NewServer(certs.Server(), rpc.Limits{})
		pb.RegisterDrummerServer(server, naming{})
		listener := network.Listen("server")
		go func() { _ = server.Serve(listener) }()
		defer server.Stop()
		dials := 0
		dial := func(ctx context.Context, address string) (net.Conn, error) {
			dials++
			return network.Dial(ctx, address)
		}
		connect := func(next rpc.TLSFunc) *grpc.ClientConn {
			conn, err := rpc.Dialer{Dial: dial, TLS: next}.Connect("server")
			require.NoError(t, err)
			t.Cleanup(func() { _ = conn.Close() })
			return conn
		}
		ask := func(conn *grpc.ClientConn) (string, error) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			out, err := pb.NewDrummerClient(conn).Status(ctx, &pb.StatusRequest{})
			return out.GetServer(), err
		}
		name := func(conn *grpc.ClientConn) string {
			t.Helper()
			out, err := ask(conn)
			require.NoError(t, err)
			return out
		}
		static, err := first.Load(nil)
		require.NoError(t, err)

		standing := connect(certs.Client())
		require.Equal(t, "first", name(standing))

		copyFile(t, second.Cert, used.Cert) // half of a change: the key is another one's
		time.Sleep(time.Minute)
		require.Contains(t, log.take(), "the former ones are kept")
		require.Equal(t, "first", name(connect(certs.Client())))
		require.NoError(t, os.WriteFile(used.CA, []byte("rubbish"), 0o600))
		time.Sleep(time.Minute)
		require.Contains(t, log.take(), "holds no PEM certificate")
		time.Sleep(time.Minute)
		require.Empty(t, log.take(), "each reason is logged once")
		require.NoError(t, os.Remove(used.Key))
		time.Sleep(time.Minute)
		require.Contains(t, log.take(), "can't be read")
		require.Equal(t, "first", name(connect(certs.Client())))

		use(second)
		time.Sleep(time.Minute)
		require.Contains(t, log.take(), "read again")
		before := dials
		require.Equal(t, "first", name(standing), "the connection stands")
		require.Equal(t, before, dials)
		require.Equal(t, "second", name(connect(certs.Client())))
		_, err = ask(connect(static.Client()))
		require.Error(t, err, "the former CA is not taken any more")
	})
}
