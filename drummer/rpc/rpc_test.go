// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// The dialer gets each address as it was written.
func TestAddressesAreNotURLs(t *testing.T) {
	for _, address := range []string{"127.0.0.1:80", "[::1]:80", "host-1:1", "a/b#0?c", "50%"} {
		dialed := make(chan string, 10)
		conn, err := Dialer{Dial: func(_ context.Context, got string) (net.Conn, error) {
			dialed <- got
			return nil, errors.New("no")
		}}.Connect(address)
		require.NoError(t, err, address)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		_, err = pb.NewDrummerClient(conn).Status(ctx, &pb.StatusRequest{})
		cancel()
		require.Error(t, err)
		require.Equal(t, address, <-dialed)
		require.NoError(t, conn.Close())
	}
}

func TestTLSFilesAreAllOrNone(t *testing.T) {
	server, client, err := TLSFiles{}.Load()
	require.NoError(t, err)
	require.Nil(t, server)
	require.Nil(t, client)
	_, _, err = TLSFiles{CA: "ca.pem"}.Load()
	require.ErrorContains(t, err, "needs a CA, a certificate and a key")
	_, _, err = TLSFiles{CA: "missing", Cert: "c", Key: "k"}.Load()
	require.ErrorContains(t, err, "CA file can't be read")
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, []byte("not PEM"), 0o600))
	_, _, err = TLSFiles{CA: path, Cert: "c", Key: "k"}.Load()
	require.ErrorContains(t, err, "holds no PEM certificate")
}
