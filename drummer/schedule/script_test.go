// SPDX-License-Identifier: Apache-2.0

package schedule_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/model"
)

// TestScripts runs the scripts in testdata/schedule. Its README.md explains
// their commands.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, filepath.Join("..", "..", "testdata", "schedule"), func(t *testing.T, path string) {
		if filepath.Ext(path) != ".txt" {
			t.Skip("not a script")
		}
		s := &script{}
		datadriven.RunTest(t, path, s.run)
		if s.w != nil && len(s.w.Violations) > 0 {
			t.Errorf("promises were broken:\n%s", strings.Join(s.w.Violations, "\n"))
		}
	})
}

// script is one script being run.
type script struct {
	w    *model.Fleet
	held map[string]*pb.Command
}

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	if d.Cmd != "world" && s.w == nil {
		d.Fatalf(t, "the first command makes a world")
	}
	if d.Cmd == "world" {
		return s.world(t, d)
	}
	s.w.Log = nil
	out := s.command(t, d)
	if text := strings.Join(s.w.Log, "\n"); text != "" {
		out = text + "\n" + out
	}
	if out == "" {
		return "ok\n"
	}
	return out
}

func (s *script) command(t *testing.T, d *datadriven.TestData) string {
	w := s.w
	switch d.Cmd {
	case "define":
		return s.define(t, d)
	case "launch":
		w.Launch()
	case "run":
		return s.advance(t, d)
	case "kill":
		s.each(t, d, w.Kill)
	case "start":
		s.each(t, d, w.Boot)
	case "wipe":
		s.each(t, d, w.Wipe)
	case "cut":
		s.each(t, d, func(m *model.Host) { w.CutOff(m, true) })
	case "join":
		s.each(t, d, func(m *model.Host) {
			w.CutOff(m, false)
			w.Isolate(m, false)
		})
	case "gray":
		s.each(t, d, func(m *model.Host) { w.Isolate(m, true) })
	case "stubborn":
		w.NoQuorumChecks = true
	case "stop-node":
		s.eachNode(t, d, func(n *model.Node) { n.Running, n.CaughtUp = false, false })
	case "stray":
		w.AddStray(host(t, d, w), number(t, d, "cluster", 1), number(t, d, "node", 1), membership(t, d))
	case "stray-gone":
		s.eachNode(t, d, func(n *model.Node) {
			if n.Foreign {
				delete(host(t, d, w).Nodes, n.Key)
			}
		})
	case "lose-log":
		s.eachNode(t, d, func(n *model.Node) { delete(host(t, d, w).Nodes, n.Key) })
	case "lead":
		w.ChangeLeader()
	case "amnesia": // DrummerDB is lost, and begins anew
		w.LoseDrummerDB()
	case "leaderless":
		w.Leaderless = arg(t, d, "is", "true") == "true"
	case "world-set":
		s.set(t, d)
	case "faults":
		s.faults(t, d)
	case "mode":
		s.mode(t, d)
	case "update":
		return s.update(t, d)
	case "delete":
		return s.delete(t, d)
	case "pause":
		w.Pause(true, arg(t, d, "why", ""))
	case "go-on":
		w.Pause(false, "")
	case "forget":
		r := w.Write(&pb.Command{Body: &pb.Command_ForgetHost{ForgetHost: &pb.ForgetHost{NodehostId: arg(t, d, "id", "")}}})
		return fmt.Sprintf("%s: %s\n", r.Code, r.Detail)
	case "preflight":
		return preflight(w, named(t, d, w, arg(t, d, "drain", "")).ID)
	case "host":
		s.describe(t, d)
	case "hear": // facts reach DrummerDB, and nothing is decided
		w.Hear()
	case "hold":
		s.hold(arg(t, d, "plan", ""))
	case "submit":
		return s.submit(t, d)
	case "show":
		return s.show(t, d)
	default:
		d.Fatalf(t, "there is no command %q", d.Cmd)
	}
	return ""
}

func arg(t *testing.T, d *datadriven.TestData, key, otherwise string) string {
	if d.HasArg(key) {
		d.ScanArgs(t, key, &otherwise)
	}
	return otherwise
}

func number(t *testing.T, d *datadriven.TestData, key string, otherwise uint64) uint64 {
	if d.HasArg(key) {
		d.ScanArgs(t, key, &otherwise)
	}
	return otherwise
}

// world makes hosts h1, h2 …: world hosts=5 regions=a.a.b.b.c
func (s *script) world(t *testing.T, d *datadriven.TestData) string {
	policy := schedule.DefaultPolicy()
	s.w = model.New(policy, number(t, d, "seed", 1))
	s.held = map[string]*pb.Command{}
	s.set(t, d)
	s.w.ChangeLeader()
	s.addHosts(t, d)
	s.w.Step()
	return "ok\n"
}

func (s *script) addHosts(t *testing.T, d *datadriven.TestData) {
	regions := strings.Split(arg(t, d, "regions", ""), ".")
	for i := range int(number(t, d, "hosts", 0)) {
		s.w.AddHost(fmt.Sprintf("h%d", len(s.w.Hosts)+1), regions[i%len(regions)])
	}
}

// set changes the policy and the world's pace.
func (s *script) set(t *testing.T, d *datadriven.TestData) {
	p := &s.w.Policy
	s.w.JoinTicks = number(t, d, "join-ticks", s.w.JoinTicks)
	p.BalanceNodes = int(number(t, d, "balance-nodes", uint64(p.BalanceNodes)))
	p.BalanceLeaders = int(number(t, d, "balance-leaders", uint64(p.BalanceLeaders)))
	p.BalanceCalm = number(t, d, "calm", p.BalanceCalm)
	p.FuseHold = number(t, d, "fuse-hold", p.FuseHold)
	p.TTL = number(t, d, "ttl", p.TTL)
	p.JoinLimit = number(t, d, "join-limit", p.JoinLimit)
	p.OperationDeadline = number(t, d, "deadline", p.OperationDeadline)
	p.BackoffCap = number(t, d, "backoff-cap", p.BackoffCap)
	p.OperationsPerHost = int(number(t, d, "per-host", uint64(p.OperationsPerHost)))
	p.OperationsTotal = int(number(t, d, "total", uint64(p.OperationsTotal)))
	p.JoinsPerHost = int(number(t, d, "joins", uint64(p.JoinsPerHost)))
	p.Restarts = int(number(t, d, "restarts", uint64(p.Restarts)))
	p.BalanceMoves = int(number(t, d, "moves", uint64(p.BalanceMoves)))
	if d.Cmd == "world-set" {
		s.addHosts(t, d)
	}
}

// span reads '3' or '1-6'.
func span(t *testing.T, d *datadriven.TestData, text string) (uint64, uint64) {
	from, to, both := strings.Cut(text, "-")
	first, err := strconv.ParseUint(from, 10, 64)
	last := first
	if both && err == nil {
		last, err = strconv.ParseUint(to, 10, 64)
	}
	if err != nil {
		d.Fatalf(t, "%q is no range of clusters", text)
	}
	return first, last
}

// specs reads specifications: define clusters=1-3 size=3 regions=a:2.b:1
func (s *script) specs(t *testing.T, d *datadriven.TestData) []*pb.ClusterSpec {
	first, last := span(t, d, arg(t, d, "clusters", "1"))
	var specs []*pb.ClusterSpec
	for id := first; id <= last; id++ {
		spec := &pb.ClusterSpec{ClusterId: id, Application: "kv", Size: uint32(number(t, d, "size", 3)),
			SpreadOver: arg(t, d, "spread", ""), RequiredLabels: labels(arg(t, d, "require", "")),
			PreferredLabels: labels(arg(t, d, "prefer", ""))}
		if rtt := number(t, d, "election-rtt", 0); rtt != 0 {
			spec.Raft = &pb.RaftConfig{ElectionRtt: rtt}
		}
		if arg(t, d, "quiesce", "") == "true" {
			spec.Raft = &pb.RaftConfig{Quiesce: true}
		}
		for _, part := range strings.FieldsFunc(arg(t, d, "regions", ""), func(r rune) bool { return r == '.' }) {
			region, count, _ := strings.Cut(part, ":")
			n, err := strconv.ParseUint(count, 10, 32)
			if err != nil {
				d.Fatalf(t, "%q is no region with a count", part)
			}
			if spec.Regions == nil {
				spec.Regions = map[string]uint32{}
			}
			spec.Regions[region] = uint32(n)
		}
		specs = append(specs, spec)
	}
	return specs
}

// labels reads 'disk:ssd.rack:1'.
func labels(text string) map[string]string {
	var found map[string]string
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '.' }) {
		if found == nil {
			found = map[string]string{}
		}
		key, value, _ := strings.Cut(part, ":")
		found[key] = value
	}
	return found
}

// describe changes a host: host name=h1 labels=disk:ssd weight=200
func (s *script) describe(t *testing.T, d *datadriven.TestData) {
	m := named(t, d, s.w, arg(t, d, "name", ""))
	m.Labels, m.Weight, m.Reported = labels(arg(t, d, "labels", "")), uint32(number(t, d, "weight", 0)), nil
}

// mode cordons or drains hosts: mode drain=h1, mode active=h1.
func (s *script) mode(t *testing.T, d *datadriven.TestData) {
	for _, a := range d.CmdArgs {
		mode := pb.HostMode(pb.HostMode_value[strings.ToUpper(a.Key)])
		for _, name := range a.Vals {
			id := named(t, d, s.w, name).ID
			if r := s.w.SetMode(id, mode); r.Code != pb.CommandCode_APPLIED {
				d.Fatalf(t, "%s", r.Detail)
			}
		}
	}
}

// membership reads members=1@h4.2@h5 ccid=9, or nothing.
func membership(t *testing.T, d *datadriven.TestData) *db.Image {
	image := &db.Image{CCID: number(t, d, "ccid", 3)}
	for _, text := range strings.FieldsFunc(arg(t, d, "members", ""), func(r rune) bool { return r == '.' }) {
		m := db.Member{Role: pb.MemberRole_VOTER}
		if _, err := fmt.Sscanf(text, "%d@%s", &m.NodeID, &m.Address); err != nil {
			d.Fatalf(t, "%q is no member: %v", text, err)
		}
		image.Members = append(image.Members, m)
	}
	if len(image.Members) == 0 {
		return nil
	}
	return image
}

func (s *script) update(t *testing.T, d *datadriven.TestData) string {
	r := s.w.Write(&pb.Command{Body: &pb.Command_UpdateClusters{UpdateClusters: &pb.UpdateClusters{Specs: s.specs(t, d)}}})
	if r.Code != pb.CommandCode_APPLIED {
		return fmt.Sprintf("%s: %s\n", r.Code, r.Detail)
	}
	return ""
}

func (s *script) delete(t *testing.T, d *datadriven.TestData) string {
	var ids []uint64
	first, last := span(t, d, arg(t, d, "clusters", "1"))
	for id := first; id <= last; id++ {
		ids = append(ids, id)
	}
	if r := s.w.Delete(ids...); r.Code != pb.CommandCode_APPLIED {
		return fmt.Sprintf("%s: %s\n", r.Code, r.Detail)
	}
	return ""
}

func preflight(w *model.Fleet, host string) string {
	var b strings.Builder
	for _, x := range schedule.PreflightDrain(w.State, w.Policy, host) {
		fmt.Fprintf(&b, "%d would wait for %s\n", x.ClusterID, x.For)
	}
	if b.Len() == 0 {
		return "nothing is in the way\n"
	}
	return b.String()
}

func (s *script) define(t *testing.T, d *datadriven.TestData) string {
	if r := s.w.Define(s.specs(t, d)...); r.Code != pb.CommandCode_APPLIED {
		return fmt.Sprintf("%s: %s\n", r.Code, r.Detail)
	}
	return ""
}

func host(t *testing.T, d *datadriven.TestData, w *model.Fleet) *model.Host {
	return named(t, d, w, arg(t, d, "host", ""))
}

// named finds a host by its name, or as '1/3': that of node 3 of cluster 1.
func named(t *testing.T, d *datadriven.TestData, w *model.Fleet, name string) *model.Host {
	var cluster, node uint64
	if _, err := fmt.Sscanf(name, "%d/%d", &cluster, &node); err == nil {
		if c := w.State.Clusters.At(cluster); c != nil && c.Node(node) != nil {
			name = c.Node(node).Address
		}
	}
	m := w.Hosts[name]
	if m == nil {
		d.Fatalf(t, "there is no host %q", name)
	}
	return m
}

// each does something to the hosts named as hosts=(h1,h2) or host=h1.
func (s *script) each(t *testing.T, d *datadriven.TestData, do func(*model.Host)) {
	for _, a := range d.CmdArgs {
		for _, name := range append([]string{a.Key}, a.Vals...) {
			do(named(t, d, s.w, name))
		}
	}
}

func (s *script) eachNode(t *testing.T, d *datadriven.TestData, do func(*model.Node)) {
	cluster := number(t, d, "cluster", 0)
	for _, n := range host(t, d, s.w).SortedNodes() {
		if cluster == 0 || cluster == n.Key.ClusterID {
			do(n)
		}
	}
}

// advance lets ticks pass: run ticks=20, or run until=settled [max=200].
func (s *script) advance(t *testing.T, d *datadriven.TestData) string {
	if arg(t, d, "until", "") != "settled" {
		for range number(t, d, "ticks", 1) {
			s.w.Step()
		}
		return s.quiet(d)
	}
	limit := number(t, d, "max", 300)
	for i := range limit {
		if s.w.Settled() {
			return s.quiet(d) + fmt.Sprintf("settled after %d ticks\n", i)
		}
		s.w.Step()
	}
	return s.quiet(d) + fmt.Sprintf("not settled after %d ticks\n", limit)
}

// quiet drops the log of a 'run … quiet'.
func (s *script) quiet(d *datadriven.TestData) string {
	if d.HasArg("quiet") {
		s.w.Log = nil
	}
	if broken := s.w.Violations; len(broken) > 0 {
		return "BROKEN: " + strings.Join(broken, "\nBROKEN: ") + "\n"
	}
	return ""
}

// faults sets what goes wrong from now on: faults requests=lose results=lose
// reports=lose start=FAILED add=UNKNOWN …; without arguments nothing does.
func (s *script) faults(t *testing.T, d *datadriven.TestData) {
	always := func(key string) func() bool {
		on := arg(t, d, key, "") == "lose"
		return func() bool { return on }
	}
	codes := map[pb.RequestKind]pb.ResultCode{}
	for key, kind := range map[string]pb.RequestKind{
		"start": pb.RequestKind_START_NODE, "add": pb.RequestKind_ADD_OBSERVER,
		"promote": pb.RequestKind_PROMOTE, "remove": pb.RequestKind_REMOVE_NODE,
		"destroy": pb.RequestKind_DESTROY_NODE,
	} {
		codes[kind] = pb.ResultCode(pb.ResultCode_value[arg(t, d, key, "")])
	}
	var on []string
	for _, name := range strings.FieldsFunc(arg(t, d, "on", ""), func(r rune) bool { return r == '.' }) {
		on = append(on, named(t, d, s.w, name).ID)
	}
	s.w.Faults = model.Faults{
		LoseRequest: always("requests"),
		LoseResult:  always("results"),
		LoseReport:  always("reports"),
		Result: func(op *pb.Operation) pb.ResultCode {
			if len(on) > 0 && !slices.Contains(on, op.Request.NodehostId) {
				return 0
			}
			return codes[op.Request.Kind]
		},
	}
}

// hold keeps the plan for the present state, to be submitted later: what a
// slow or deposed leader does.
func (s *script) hold(name string) {
	s.held[name] = s.w.Plan()
}

func (s *script) submit(t *testing.T, d *datadriven.TestData) string {
	r := s.w.Write(s.held[arg(t, d, "plan", "")])
	return fmt.Sprintf("%s: %d accepted, %d dropped. %s\n", r.Code, r.Accepted, r.Dropped, r.Detail)
}

// show prints clusters, hosts or what clusters wait for.
func (s *script) show(t *testing.T, d *datadriven.TestData) string {
	var b strings.Builder
	switch what := d.CmdArgs[0].Key; what {
	case "hosts":
		for h := range s.w.State.Hosts.Values() {
			if !h.Gone {
				fmt.Fprintf(&b, "%s %s placed=%d\n", h.ID(), s.w.State.HostStatus(h, s.w.Policy.Suspect, s.w.Policy.TTL).State, h.Placed)
			}
		}
	case "waiting":
		for _, x := range schedule.Decide(s.w.State, s.w.Policy, s.w.Seed).Waiting() {
			fmt.Fprintf(&b, "%d waits for %s\n", x.ClusterID, x.For)
		}
	case "clusters", "cluster":
		for c := range s.w.State.Clusters.Values() {
			s.showCluster(&b, c)
		}
	default:
		d.Fatalf(t, "there is no %q to show", what)
	}
	if b.Len() == 0 {
		return "nothing\n"
	}
	return b.String()
}

func (s *script) showCluster(b *strings.Builder, c *db.Cluster) {
	if c.Spec == nil && len(c.Replicas) == 0 {
		return // deleted
	}
	fmt.Fprintf(b, "%d ccid=%d: %s", c.ID, c.Image.CCID, &c.Image)
	for _, ailment := range schedule.Ailments(s.w.State, s.w.Policy, c) {
		fmt.Fprintf(b, "; %s", ailment)
	}
	b.WriteString("\n")
	for _, r := range c.Replicas {
		if c.Zombie(&r) {
			fmt.Fprintf(b, "  zombie %d on %s\n", r.NodeID, r.HostID)
		}
	}
}
