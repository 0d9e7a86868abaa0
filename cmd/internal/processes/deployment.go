// SPDX-License-Identifier: Apache-2.0

package processes

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// deployment is Drummer servers and NodeHosts as processes, in plain text on loopback.
type deployment struct {
	t       testing.TB
	dir     string
	ports   []int
	servers []*process
	hosts   []*process
	client  *client.Client
}

// newDeployment builds the programs and starts them. Extra is put into each
// configuration file.
func newDeployment(t testing.TB, servers, hosts int, extra string) *deployment {
	t.Helper()
	d := &deployment{t: t, dir: t.TempDir()}
	d.build()
	d.ports = freePorts(t, 2*(servers+hosts))
	t.Cleanup(d.close)
	members := ""
	var addresses []string
	for i := range servers {
		members += fmt.Sprintf("  %d: {raft_address: %s, address: %s}\n", i+1, d.address(2*i), d.address(2*i+1))
		addresses = append(addresses, d.address(2*i+1))
	}
	for i := range servers {
		p := d.process("drummer", fmt.Sprintf("drummer-%d", i+1))
		d.write(p, fmt.Sprintf("node_id: %d\ndeployment_id: 7\nrtt: 20ms\nheartbeat: 200ms\ntime_to_live: 3s\nmembers:\n%s%s", i+1, members, extra))
		d.servers = append(d.servers, p)
	}
	for i := range hosts {
		at := 2 * (servers + i)
		p := d.process("nodehost", fmt.Sprintf("nodehost-%d", i+1))
		d.write(p, fmt.Sprintf("raft_address: %s\napi_address: %s\nrtt: 20ms\nshards: 1\ndrummers: [%s]\n%s", d.address(at), d.address(at+1), strings.Join(addresses, ", "), extra))
		d.hosts = append(d.hosts, p)
	}
	for _, p := range append(d.servers, d.hosts...) {
		p.start(t)
	}
	var err error
	if d.client, err = client.New(client.Config{Drummers: addresses}); err != nil {
		t.Fatal(err)
	}
	return d
}

func (d *deployment) build() {
	root, err := filepath.Abs("../../..")
	if err != nil {
		d.t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-o", d.dir, "./cmd/drummer", "./cmd/nodehost")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		d.t.Fatalf("the programs can't be built: %v\n%s", err, out)
	}
}

func (d *deployment) process(program, name string) *process {
	return &process{program: filepath.Join(d.dir, program), config: filepath.Join(d.dir, name+".yaml"), dir: filepath.Join(d.dir, name)}
}

func (d *deployment) write(p *process, text string) {
	if err := os.WriteFile(p.config, []byte(fmt.Sprintf("data_dir: %s\n", p.dir)+text), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

func (d *deployment) address(i int) string { return fmt.Sprintf("127.0.0.1:%d", d.ports[i]) }

func (d *deployment) close() {
	if d.client != nil {
		d.client.Close()
	}
	for _, p := range append(d.servers, d.hosts...) {
		p.kill()
	}
	if d.t.Failed() {
		for _, p := range append(d.servers, d.hosts...) {
			d.t.Logf("%s:\n%s", filepath.Base(p.dir), lastLines(p.log.String(), 30))
		}
	}
}

func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// freePorts are ports of loopback that nobody listened at a moment ago.
func freePorts(t testing.TB, n int) (ports []int) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports
}

func (d *deployment) until(limit time.Duration, what string, holds func() bool) {
	d.t.Helper()
	for start := time.Now(); !holds(); time.Sleep(100 * time.Millisecond) {
		if time.Since(start) > limit {
			d.t.Fatalf("after %v this does not hold: %s", limit, what)
		}
	}
}

func (d *deployment) context(limit time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	d.t.Cleanup(cancel)
	return ctx
}

// untilAttached waits until Drummer hears so many NodeHosts.
func (d *deployment) untilAttached(hosts int) {
	d.t.Helper()
	d.until(time.Minute, fmt.Sprintf("%d NodeHosts are there", hosts), func() bool {
		out, err := d.client.ListNodeHosts(d.context(2 * time.Second))
		alive := 0
		for _, host := range out.GetHosts() {
			if host.GetState() == pb.NodeHostState_UP {
				alive++
			}
		}
		return err == nil && alive == hosts
	})
}

// launch defines clusters of an application with three members and waits until they
// are whole.
func (d *deployment) launch(application string, ids ...uint64) {
	d.t.Helper()
	var specs []*pb.ClusterSpec
	for _, id := range ids {
		specs = append(specs, &pb.ClusterSpec{ClusterId: id, Application: application, Size: 3, Raft: &pb.RaftConfig{ElectionRtt: 10, HeartbeatRtt: 1, SnapshotEntries: proto.Uint64(20), CompactionOverhead: proto.Uint64(5)}})
	}
	if err := d.client.Define(d.context(20*time.Second), "a test", specs...); err != nil {
		d.t.Fatal(err)
	}
	if err := d.client.Launch(d.context(20*time.Second), "a test"); err != nil {
		d.t.Fatal(err)
	}
	d.until(time.Minute, "all clusters are whole", func() bool { return d.whole(ids...) })
}

// whole reports whether each cluster has three members on NodeHosts that are alive,
// and can be written.
func (d *deployment) whole(ids ...uint64) bool {
	for _, id := range ids {
		out, err := d.client.Locate(d.context(2*time.Second), id)
		if err != nil || len(out.GetClusters()) != 1 {
			return false
		}
		cluster := out.GetClusters()[0]
		if !cluster.GetAvailable() || cluster.GetWaitingFor() != "" || len(cluster.GetMembers()) != 3 {
			return false
		}
		for _, member := range cluster.GetMembers() {
			if !member.GetRunning() {
				return false
			}
		}
	}
	return true
}

// put writes a key, again and again until that is acknowledged.
func (d *deployment) put(cluster uint64, key, value string) {
	d.t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(100 * time.Millisecond) {
		if _, err = d.client.Propose(d.context(3*time.Second), cluster, kv.Command{Op: kv.Put, Key: key, Value: kv.Some(value)}.Encode()); err == nil {
			return
		}
		d.client.Forget(cluster)
	}
	d.t.Fatalf("cluster %d can't be written: %v", cluster, err)
}

// get reads a key, linearizably, and waits until that is possible.
func (d *deployment) get(cluster uint64, key string) string {
	d.t.Helper()
	var err error
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(100 * time.Millisecond) {
		data, readErr := d.client.Read(d.context(3*time.Second), cluster, kv.GetQuery(key))
		if err = readErr; err == nil {
			answer, err := kv.DecodeAnswer(data)
			if err != nil || answer.Status != kv.OK {
				d.t.Fatalf("cluster %d answers %v %v", cluster, answer.Status, err)
			}
			return answer.Observed.Value.Text
		}
		d.client.Forget(cluster)
	}
	d.t.Fatalf("cluster %d can't be read: %v", cluster, err)
	return ""
}
