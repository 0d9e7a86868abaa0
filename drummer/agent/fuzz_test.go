// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lni/goutils/vfs"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/testkit"
)

// FuzzRequest: whatever a server asks for, the agent answers each request once
// and nothing panics, neither then nor when the NodeHost is restarted and the
// same is asked again.
func FuzzRequest(f *testing.F) {
	seed := func(req *pb.Request) {
		data, err := proto.Marshal(req)
		require.NoError(f, err)
		f.Add(data)
	}
	start := startRequest(1, 1, pb.JoinMode_INITIAL)
	start.InitialMembers = map[uint64]string{1: "fuzz"}
	seed(start)
	two := proto.Clone(start).(*pb.Request)
	two.InitialMembers[2] = "Other"
	seed(two)
	zero := proto.Clone(start).(*pb.Request)
	zero.InitialMembers[0] = ""
	seed(zero)
	disk := proto.Clone(start).(*pb.Request)
	disk.Spec.Application = "disk"
	disk.Spec.Raft = &pb.RaftConfig{ElectionRtt: 1 << 63, HeartbeatRtt: 1 << 62, MaxInMemLogSize: 1}
	seed(disk)
	seed(startRequest(1, 2, pb.JoinMode_JOIN_AS_OBSERVER))
	for kind := range pb.RequestKind_name {
		seed(&pb.Request{Kind: pb.RequestKind(kind), ClusterId: 1, NodeId: 1, TargetAddress: "fuzz", ConfigChangeId: 1})
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		req := &pb.Request{}
		if proto.Unmarshal(data, req) != nil {
			t.Skip()
		}
		if len(req.GetInitialMembers()) > 64 {
			t.Skip() // Drummer's limit
		}
		synctest.Test(t, func(t *testing.T) {
			fs := vfs.NewMem()
			for range 2 {
				askOnce(t, fs, req)
			}
		})
	})
}

// askOnce lets an agent without a server carry out a request.
func askOnce(t *testing.T, disk vfs.FS, req *pb.Request) {
	listener := NewListener(nil, nil)
	conf := testkit.NodeHostConfig("fuzz", disk)
	conf.RaftEventListener, conf.SystemEventListener = listener, listener
	nodehost := testkit.StartNodeHost(t, conf)
	defer nodehost.Stop()
	a, err := New(nodehost, Config{
		Drummers: []string{"nobody"}, Listener: listener, Dial: (&testkit.Net{}).Dial,
		Registry: map[string]Application{"kv": {Regular: testkit.NewKV}, "disk": {OnDisk: testkit.NewOnDiskKV}},
	})
	require.NoError(t, err)
	defer a.Close()
	asked := proto.Clone(req).(*pb.Request)
	asked.NodehostId, asked.DeploymentId, asked.DeploymentEpoch = nodehost.ID(), 0, 0
	a.executor.submit(asked)
	time.Sleep(30 * time.Second)
	results := a.executor.takeResults(0)
	require.Len(t, results, 1)
	require.NotEqual(t, pb.ResultCode_RESULT_CODE_UNSPECIFIED, results[0].GetCode())
	require.False(t, strings.Contains(results[0].GetDetail(), "%!"), results[0].GetDetail())
}
