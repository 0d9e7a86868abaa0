// SPDX-License-Identifier: Apache-2.0

package server_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// Whoever changes something stands in the event that tells of it, as a field and in
// the text.
func TestWhoDidItStandsOnEveryChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newTrio(t, 1)
		conn := w.conn(w.leader())
		drummer, fleet := pb.NewDrummerClient(conn), pb.NewFleetClient(conn)
		stream, _, err := w.attach(1, helloOf("nhid-1"))
		require.NoError(t, err)
		time.Sleep(3 * time.Second) // until the log's version knows all there is
		const by = "alice"
		var added uint64
		specs := []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: 1}}
		larger := []*pb.ClusterSpec{{ClusterId: 1, Application: "kv", Size: 3}}
		for _, change := range []struct {
			kind string
			do   func(context.Context) error
		}{
			{pb.EventClusterDefined, func(ctx context.Context) error {
				_, err := drummer.DefineClusters(ctx, &pb.DefineClustersRequest{Specs: specs, By: by})
				return err
			}},
			{pb.EventClusterUpdated, func(ctx context.Context) error {
				_, err := fleet.UpdateClusters(ctx, &pb.UpdateClustersRequest{Specs: larger, By: by})
				return err
			}},
			{pb.EventClusterDeleted, func(ctx context.Context) error {
				_, err := fleet.DeleteClusters(ctx, &pb.DeleteClustersRequest{ClusterIds: []uint64{1}, By: by})
				return err
			}},
			{pb.EventLaunched, func(ctx context.Context) error {
				_, err := drummer.Launch(ctx, &pb.LaunchRequest{By: by})
				return err
			}},
			{pb.EventPaused, func(ctx context.Context) error {
				_, err := fleet.Pause(ctx, &pb.PauseRequest{Reason: "why not", By: by})
				return err
			}},
			{pb.EventPaused, func(ctx context.Context) error {
				_, err := fleet.Resume(ctx, &pb.ResumeRequest{By: by})
				return err
			}},
			{pb.EventHostMode, func(ctx context.Context) error {
				_, err := fleet.SetHostMode(ctx, &pb.SetHostModeRequest{Host: "nhid-1", Mode: pb.HostMode_CORDON, By: by})
				return err
			}},
			{pb.EventServerAdded, func(ctx context.Context) error {
				out, err := fleet.AddServer(ctx, &pb.AddServerRequest{RaftAddress: "x", Address: "y", By: by})
				added = out.GetNodeId()
				return err
			}},
			{pb.EventServerRemoved, func(ctx context.Context) error {
				_, err := fleet.RemoveServer(ctx, &pb.RemoveServerRequest{NodeId: added, By: by})
				return err
			}},
			{pb.EventHostForgotten, func(ctx context.Context) error {
				require.NoError(t, stream.CloseSend())
				time.Sleep(30 * time.Second)
				_, err := fleet.ForgetHost(ctx, &pb.ForgetHostRequest{Host: "nhid-1", By: by})
				return err
			}},
		} {
			before := w.newest(drummer)
			require.NoError(t, change.do(w.context(time.Minute)), change.kind)
			out, err := drummer.ListEvents(w.context(10*time.Second), &pb.ListEventsRequest{AfterSequence: before, Kinds: []string{change.kind}})
			require.NoError(t, err)
			require.Len(t, out.GetEvents(), 1, change.kind)
			require.Equal(t, by, out.GetEvents()[0].GetBy(), change.kind)
			require.Contains(t, out.GetEvents()[0].GetText(), " by alice", change.kind)
		}
	})
}

// newest is the sequence of the newest event.
func (w *trio) newest(drummer pb.DrummerClient) uint64 {
	out, err := drummer.ListEvents(w.context(10*time.Second), &pb.ListEventsRequest{NewestFirst: true, Limit: 1})
	require.NoError(w.t, err)
	require.Len(w.t, out.GetEvents(), 1)
	return out.GetEvents()[0].GetSequence()
}
