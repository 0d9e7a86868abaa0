// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"errors"
	"net"
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
