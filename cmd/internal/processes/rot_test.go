// SPDX-License-Identifier: Apache-2.0

package processes

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

var (
	places  = flag.Int("rot.places", 20, "at how many places TestFlippedBitsOfProcesses flips a bit")
	rotSeed = flag.Uint64("rot.seed", 0, "the seed of TestFlippedBitsOfProcesses; 0: a random one")
)

// placesAtOnce is how many bits of one disk rot before the process is started again.
const placesAtOnce = 2

var rotClusters = map[uint64]string{1: "kv", 2: "kv-concurrent"}

// Bits rot in the logs, snapshots and records of Drummer servers and NodeHosts, as
// processes: each time of one server and one NodeHost, which had a part in what was
// acknowledged last, while others were down. What was acknowledged is there afterwards,
// and no answer is ever another one. Who refuses to start is replaced, as its message
// says.
func TestFlippedBitsOfProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes, for a minute")
	}
	seed := *rotSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("-rot.seed %d", seed)
	r := &rotRun{deployment: newDeployment(t, 3, 4, ""), rng: rand.New(rand.NewPCG(seed, 1)), outcomes: map[string]int{}}
	for i := range r.servers {
		r.ids = append(r.ids, uint64(i+1))
	}
	r.untilAttached(4)
	for _, id := range []uint64{1, 2} {
		r.launch(rotClusters[id], id)
	}
	for i := range 30 { // past a snapshot
		r.put(1, fmt.Sprint("first ", i), "value")
		r.put(2, fmt.Sprint("first ", i), "value")
	}
	for r.flipped < *places {
		r.round()
	}
	t.Logf("%d bits flipped in %d rounds: %v", r.flipped, r.rounds, r.outcomes)
}

type rotRun struct {
	*deployment
	rng      *rand.Rand
	ids      []uint64 // NodeIDs of the servers
	rounds   int
	flipped  int
	outcomes map[string]int
}

func (r *rotRun) round() {
	r.rounds++
	server, host := r.rng.IntN(3), r.rng.IntN(4)
	otherServer, otherHost := (server+1)%3, (host+1)%4
	key := fmt.Sprint("round ", r.rounds)
	// A cluster of three survives one loss at a time: who is only down for a while is
	// not to be replaced at the moment at which another disk is lost.
	r.must("Drummer pauses", func(ctx context.Context) error { return r.client.Pause(ctx, "a test", "bits rot") })
	r.servers[otherServer].kill()
	r.hosts[otherHost].kill()
	for id := range rotClusters {
		r.put(id, key, key)
	}
	r.define(uint64(1000+r.rounds), key)
	for _, p := range []*process{r.servers[server], r.hosts[host]} {
		p.kill()
		r.rot(p)
		p.start(r.t)
	}
	r.servers[otherServer].start(r.t)
	r.hosts[otherHost].start(r.t)
	time.Sleep(2 * time.Second)
	r.serverOutcome(server)
	r.hostOutcome(host)
	r.must("Drummer goes on", func(ctx context.Context) error { return r.client.Resume(ctx, "a test") })
	r.until(90*time.Second, "everything runs and is whole", func() bool {
		r.again(server, host)
		return r.attached(host) && r.attached(otherHost) && r.whole(1, 2)
	})
	for i := 1; i <= r.rounds; i++ {
		key := fmt.Sprint("round ", i)
		for id := range rotClusters {
			require.Equal(r.t, key, r.get(id, key), "cluster %d", id)
		}
		out, err := r.client.Locate(r.context(20*time.Second), uint64(1000+i))
		require.NoError(r.t, err, "the definition of round %d is there", i)
		require.Len(r.t, out.GetClusters(), 1)
		require.Equal(r.t, key, out.GetClusters()[0].GetSpec().GetRequiredLabels()["nowhere"])
	}
}

// must asks for something until it is granted.
func (r *rotRun) must(what string, ask func(context.Context) error) {
	r.t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if err = ask(r.context(5 * time.Second)); err == nil {
			return
		}
	}
	require.NoError(r.t, err, what)
}

// define defines a cluster that has a place nowhere.
func (r *rotRun) define(id uint64, value string) {
	spec := &pb.ClusterSpec{ClusterId: id, Application: "kv", Size: 3, RequiredLabels: map[string]string{"nowhere": value}}
	r.must("a cluster is defined", func(ctx context.Context) error { return r.client.Define(ctx, "a test", spec) })
}

// rot flips bits at random places of a process's files.
func (r *rotRun) rot(p *process) {
	var files []string
	require.NoError(r.t, filepath.WalkDir(p.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err == nil && info.Size() > 0 && !strings.Contains(path, "LOCK") && !strings.Contains(path, "/applications/") {
			files = append(files, path)
		}
		return err
	}))
	if len(files) == 0 {
		return // it was started on an empty folder a moment ago
	}
	slices.Sort(files)
	for range placesAtOnce {
		path := files[r.rng.IntN(len(files))]
		data, err := os.ReadFile(path)
		require.NoError(r.t, err)
		at, bit := r.rng.IntN(len(data)), r.rng.IntN(8)
		data[at] ^= 1 << bit
		require.NoError(r.t, os.WriteFile(path, data, 0o600))
		r.flipped++
		relative, _ := filepath.Rel(r.dir, path)
		r.t.Logf("round %d: bit %d of byte %d of %d of %s", r.rounds, bit, at, len(data), relative)
	}
}

// serverOutcome replaces a server that refuses to start.
func (r *rotRun) serverOutcome(i int) {
	p := r.servers[i]
	if p.running() {
		r.outcomes["a server goes on"]++
		return
	}
	r.outcomes["a server is replaced"]++
	require.Contains(r.t, lastLines(p.log.String(), 3), "drummer: ", "it says why")
	r.replaceServer(i)
}

func (r *rotRun) replaceServer(i int) {
	p := r.servers[i]
	r.must("the server is removed", func(ctx context.Context) error { return r.client.RemoveServer(ctx, "a test", r.ids[i], false) })
	var id uint64
	r.must("a server is added", func(ctx context.Context) (err error) {
		id, err = r.client.AddServer(ctx, "a test", r.address(2*i), r.address(2*i+1))
		return err
	})
	r.ids[i] = id
	require.NoError(r.t, os.RemoveAll(p.dir))
	members := ""
	for j, member := range r.ids {
		members += fmt.Sprintf("  %d: {raft_address: %s, address: %s}\n", member, r.address(2*j), r.address(2*j+1))
	}
	r.write(p, fmt.Sprintf("node_id: %d\ndeployment_id: 7\njoin: true\nrtt: 20ms\nheartbeat: 200ms\ntime_to_live: 3s\nmembers:\n%s", id, members))
	p.start(r.t)
	r.until(time.Minute, "the new server votes", func() bool {
		out, err := r.client.ListServers(r.context(2 * time.Second))
		return err == nil && slices.ContainsFunc(out.GetServers(), func(s *pb.ServerStatus) bool {
			return s.GetNodeId() == id && s.GetRole() == pb.MemberRole_VOTER && s.GetAlive()
		})
	})
}

// hostOutcome starts a NodeHost that refuses to start on an empty directory.
func (r *rotRun) hostOutcome(i int) {
	p := r.hosts[i]
	if p.running() {
		r.outcomes["a NodeHost goes on"]++
		return
	}
	r.outcomes["a NodeHost is replaced"]++
	require.Contains(r.t, lastLines(p.log.String(), 3), "nodehost: ", "it says why")
	require.NoError(r.t, os.RemoveAll(p.dir))
	p.start(r.t)
}

// idPattern finds the NodeHost ID in the log of a NodeHost.
var idPattern = regexp.MustCompile(`msg="NodeHost runs" id=(\S+)`)

// attached reports whether Drummer knows of a NodeHost as it is now: while it has not
// heard of the empty disk, it counts what was on the one before.
func (r *rotRun) attached(i int) bool {
	ids := idPattern.FindAllStringSubmatch(r.hosts[i].log.String(), -1)
	out, err := r.client.ListNodeHosts(r.context(2 * time.Second))
	return err == nil && len(ids) > 0 && slices.ContainsFunc(out.GetHosts(), func(h *pb.NodeHostStatus) bool {
		return h.GetHost().GetNodehostId() == ids[len(ids)-1][1] && h.GetState() == pb.NodeHostState_UP
	})
}

// again replaces what has died later on, when it came upon what had rotted.
func (r *rotRun) again(server, host int) {
	if !r.servers[server].running() {
		r.outcomes["a server died later"]++
		r.replaceServer(server)
	}
	if !r.hosts[host].running() {
		r.outcomes["a NodeHost died later"]++
		require.NoError(r.t, os.RemoveAll(r.hosts[host].dir))
		r.hosts[host].start(r.t)
	}
}
