// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

func TestLocalClientsAreAnsweredPastTheNetwork(t *testing.T) {
	inWorld(t, func(t *testing.T, w *World, c *client.Client) {
		host, ok := w.ClusterLeader(1)
		require.True(t, ok)
		address := apiOf(t, w, host)
		require.NoError(t, w.SetLink(world.Clients, host, world.Link{Cut: true}))
		local := workload.NewLocal(workload.NewRemote(c), w.Local)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		session, err := local.OpenSession(ctx, address, 1)
		require.NoError(t, err)
		_, err = local.Propose(ctx, address, session, kv.Command{Op: kv.Put, Key: "k", Value: kv.Some("local"), Writer: "w"}.Encode())
		require.NoError(t, err)
		data, err := local.Read(ctx, address, 1, kv.GetQuery("k"))
		require.NoError(t, err)
		answer, err := kv.DecodeAnswer(data)
		require.NoError(t, err)
		require.Equal(t, "local", answer.Observed.Value.Text)
		_, err = local.Read(ctx, address, 99, kv.GetQuery("k"))
		require.Equal(t, pb.RaftErrorCode_CLUSTER_NOT_FOUND, client.RaftErrorOf(err).GetCode())
	})
}

func TestLocalCallsEndWithTheirProcess(t *testing.T) {
	for how, end := range map[string]func(w *World, host string) error{
		"killed":        func(w *World, host string) error { _, err := w.Kill(host); return err },
		"without power": func(w *World, host string) error { _, err := w.PowerLoss(host); return err },
		"shut down":     func(w *World, host string) error { _, err := w.Shutdown(host); return err },
	} {
		t.Run(how, func(t *testing.T) {
			inWorld(t, func(t *testing.T, w *World, _ *client.Client) {
				host, ok := w.ClusterLeader(1)
				require.True(t, ok)
				address := apiOf(t, w, host)
				api, ok := w.Local(address)
				require.True(t, ok)
				ended := make(chan error, 1)
				go func() {
					ended <- api.Call(t.Context(), func(ctx context.Context, _ pb.NodeHostAPIServer) error {
						<-ctx.Done()
						return nil // an answer, which has to be lost
					})
				}()
				time.Sleep(time.Second)
				require.Empty(t, ended)
				require.NoError(t, end(w, host))
				err := <-ended
				require.ErrorIs(t, err, world.ErrProcessEnded)
				require.ErrorContains(t, err, host)
				require.Equal(t, client.Unknown, client.OutcomeOf(err))

				err = api.Call(t.Context(), func(context.Context, pb.NodeHostAPIServer) error { panic("called") })
				require.ErrorIs(t, err, world.ErrNoProcess)
				_, err = workload.NewLocal(nil, w.Local).Read(t.Context(), address, 1, nil)
				require.Equal(t, client.NoEffect, client.OutcomeOf(err))
				require.NoError(t, w.Boot(host))
				_, ok = w.Local(address)
				require.True(t, ok)
			})
		})
	}
}

func apiOf(t *testing.T, w *World, host string) string {
	t.Helper()
	for _, h := range w.Hosts() {
		if h.Name == host {
			return h.APIAddress
		}
	}
	t.Fatalf("the world has no host %s", host)
	return ""
}
