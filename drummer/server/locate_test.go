// SPDX-License-Identifier: Apache-2.0

package server

import (
	"testing"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func TestClustersAndHostsComeInPages(t *testing.T) {
	w := newMemoryServer(t, newBase(t))
	d := w.services[pb.Drummer_ServiceDesc.ServiceName].(*drummerService)
	locate := func(req *pb.LocateRequest) (ids []uint64, next, known uint64) {
		out, err := d.Locate(w.ctx, req)
		require.NoError(t, err)
		for _, c := range out.GetClusters() {
			ids = append(ids, c.GetClusterId())
		}
		return ids, out.GetNextAfterClusterId(), out.GetKnown()
	}
	ids, next, known := locate(&pb.LocateRequest{Limit: 1})
	require.Equal(t, []uint64{1}, ids)
	require.Equal(t, uint64(1), next)
	require.Equal(t, uint64(2), known)
	ids, next, _ = locate(&pb.LocateRequest{Limit: 1, AfterClusterId: 1})
	require.Equal(t, []uint64{2}, ids)
	require.Zero(t, next)
	ids, next, _ = locate(&pb.LocateRequest{Limit: 1, Unfinished: true}) // cluster 2 was never launched
	require.Equal(t, []uint64{2}, ids)
	require.Zero(t, next)
	ids, _, known = locate(&pb.LocateRequest{ClusterIds: []uint64{1, 7}, Unfinished: true})
	require.Empty(t, ids)
	require.Equal(t, uint64(1), known)
	_, err := d.Locate(w.ctx, &pb.LocateRequest{Limit: maxPage + 1})
	require.ErrorContains(t, err, "too long")

	hosts, err := d.ListNodeHosts(w.ctx, &pb.ListNodeHostsRequest{Limit: 3})
	require.NoError(t, err)
	require.Len(t, hosts.GetHosts(), 3)
	require.Equal(t, "C", hosts.GetNextAfterNodehostId())
	hosts, err = d.ListNodeHosts(w.ctx, &pb.ListNodeHostsRequest{Limit: 3, AfterNodehostId: "C"})
	require.NoError(t, err)
	require.Equal(t, "D", hosts.GetHosts()[0].GetHost().GetNodehostId())
	require.Empty(t, hosts.GetNextAfterNodehostId())
}
