// SPDX-License-Identifier: Apache-2.0

package processes

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// 60 callers send 31 MiB each, at once. That took a leader to 2.2 GiB.
func TestSixtyLargeRequestsAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes")
	}
	d := newDeployment(t, 1, 0, "")
	d.until(time.Minute, "the server leads", func() bool {
		s, err := d.client.Status(d.context(time.Second), d.address(1))
		return err == nil && s.GetLeader()
	})
	t.Logf("before: %d MiB", d.servers[0].peakMemory(t)>>20)
	request := &pb.DefineClustersRequest{Specs: []*pb.ClusterSpec{{ClusterId: 1, Application: string(make([]byte, 31<<20)), Size: 3}}}
	ends := make(chan error, 60)
	for range 60 {
		conn, err := rpc.Dialer{}.Connect(d.address(1))
		require.NoError(t, err)
		defer func() { _ = conn.Close() }()
		go func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			_, err := pb.NewDrummerClient(conn).DefineClusters(ctx, request)
			ends <- err
		}()
	}
	answers := map[codes.Code]int{}
	slowest := time.Duration(0)
	// A connection without the Client's limit of three seconds for each try: what is
	// shown is that others do not wait for the large requests, whatever the machine.
	conn, err := rpc.Dialer{}.Connect(d.address(1))
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	other := pb.NewDrummerClient(conn)
	for waiting := 60; waiting > 0; {
		select {
		case err := <-ends:
			waiting--
			answers[status.Code(err)]++
		default:
			start := time.Now()
			_, err := other.Status(d.context(30*time.Second), &pb.StatusRequest{}) // half of what the callers have
			require.NoError(t, err, "others are served meanwhile")
			slowest = max(slowest, time.Since(start))
			time.Sleep(20 * time.Millisecond)
		}
	}
	peak := d.servers[0].peakMemory(t)
	t.Logf("after: %d MiB, answers %v, others waited %v at most", peak>>20, answers, slowest)
	require.True(t, d.servers[0].running())
	require.Less(t, peak, int64(768<<20), "six times limits.bytes")
}
