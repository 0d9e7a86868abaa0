// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/internal/fleetsim"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule"
)

const (
	serverCount = 3
	// steadyFor is how long a steady fleet is watched.
	steadyFor = time.Minute
	// settleFor bounds the wait for the fleet to attach, and to be decided for.
	settleFor = 10 * time.Minute
	// locateFor is how long locations are asked for.
	locateFor     = 5 * time.Second
	locateClients = 4
)

var errNoLeader = errors.New("no Drummer server leads and schedules")

// liveBench measures three Drummer servers, each a process of its own, that agents of
// this process are attached to by TCP.
type liveBench struct {
	fleet    *fleetsim.Fleet
	figures  map[string]float64
	profiles string
	servers  []*serverProcess
	at       []string // their gRPC addresses
	agents   *fleetsim.Agents
	client   *client.Client
}

// serverProcess is a Drummer server of the bench.
type serverProcess struct {
	*exec.Cmd
	control io.WriteCloser
}

func measureLive(fleet *fleetsim.Fleet, figures map[string]float64, profiles string) error {
	b := &liveBench{fleet: fleet, figures: figures, profiles: profiles}
	dir, err := os.MkdirTemp("", "bench-drummer")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	defer b.stop()
	if err := b.start(dir); err != nil {
		return err
	}
	for _, step := range []func() error{b.attach, b.steady, b.pages, b.locate, b.changeLeader} {
		if err := step(); err != nil {
			return err
		}
		b.progress("done")
	}
	return nil
}

// progress shows what is known so far: the rest takes minutes.
func (b *liveBench) progress(what string) {
	line, err := json.Marshal(b.figures)
	if err == nil {
		fmt.Fprintf(os.Stderr, "%s: %d nodes: %s: %s\n", time.Now().Format(time.TimeOnly), b.fleet.Nodes(), what, line)
	}
}

func (b *liveBench) start(dir string) (err error) {
	addresses, err := freeAddresses(2 * serverCount)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.at = addresses[:serverCount]
	var members []string
	for i, address := range b.at {
		members = append(members, addresses[serverCount+i]+"/"+address)
	}
	for id := 1; id <= serverCount; id++ {
		cmd := exec.Command(self, "-serve", fmt.Sprint(id), "-members", strings.Join(members, ","), "-dir", filepath.Join(dir, fmt.Sprint(id)))
		cmd.Stderr = os.Stderr
		control, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := cmd.Start(); err != nil {
			return err
		}
		b.servers = append(b.servers, &serverProcess{cmd, control})
	}
	b.client, err = b.newClient()
	return err
}

func (b *liveBench) newClient() (*client.Client, error) {
	return client.New(client.Config{Drummers: b.at, TryTimeout: 30 * time.Second})
}

func (b *liveBench) stop() {
	if b.agents != nil {
		b.agents.Close()
	}
	if b.client != nil {
		b.client.Close()
	}
	for _, s := range b.servers {
		_ = s.control.Close()
	}
	for _, s := range b.servers {
		_ = s.Wait()
	}
}

// profile starts a CPU profile of the server that leads, where one is wanted, and
// returns what ends it.
func (b *liveBench) profile(name string) (stop func(), err error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	leader, _ := b.leader(ctx)
	if leader == nil {
		return nil, errNoLeader
	}
	return b.profileOf(leader, name)
}

func (b *liveBench) profileOf(server *serverProcess, name string) (stop func(), err error) {
	if b.profiles == "" {
		return func() {}, nil
	}
	path, err := filepath.Abs(profileFile(b.profiles, name))
	if err != nil {
		return nil, err
	}
	_, err = fmt.Fprintln(server.control, startProfile+path)
	return func() { _, _ = fmt.Fprintln(server.control, stopProfile) }, err
}

// leader returns the server that leads, and its status; nil when none does.
func (b *liveBench) leader(ctx context.Context) (*serverProcess, *pb.StatusResponse) {
	for i, address := range b.at {
		if s, err := b.client.Status(ctx, address); err == nil && s.GetLeader() {
			return b.servers[i], s
		}
	}
	return nil, nil
}

// after returns the server to which a leader hands over.
func (b *liveBench) after(leader *serverProcess) *serverProcess {
	return b.servers[(slices.Index(b.servers, leader)+1)%len(b.servers)]
}

// untilScheduling waits for a leader in a term above one that decides about the whole
// fleet.
func (b *liveBench) untilScheduling(above uint64) (*pb.StatusResponse, error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	for ctx.Err() == nil {
		if _, s := b.leader(ctx); s.GetScheduling() && s.GetTerm() > above && b.agents.Attached() == b.fleet.Hosts {
			return s, nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil, fmt.Errorf("within %v no leader schedules; %d of %d hosts are attached", settleFor, b.agents.Attached(), b.fleet.Hosts)
}

// attach defines the clusters, launches, and lets the whole fleet say Hello.
func (b *liveBench) attach() error {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	const batch = 50_000
	for i := 0; i < b.fleet.Clusters; i += batch {
		if err := b.client.Define(ctx, "bench", b.fleet.Specs(i, batch)...); err != nil {
			return err
		}
	}
	b.progress("defined")
	stop, err := b.profile("attach")
	if err != nil {
		return err
	}
	defer stop()
	start := time.Now()
	b.agents = fleetsim.Attach(b.fleet, b.at)
	for {
		if _, err := b.untilScheduling(0); err != nil {
			return err
		}
		hosts, err := b.client.ListNodeHosts(ctx)
		if err != nil {
			return err
		}
		nodes := 0
		for _, h := range hosts.GetHosts() {
			nodes += int(h.GetNodes())
		}
		if nodes == b.fleet.Nodes() {
			break
		}
		b.progress(fmt.Sprint(nodes, " reported, ", b.agents.Hellos(), " hellos"))
		time.Sleep(200 * time.Millisecond)
	}
	b.figures["the fleet attaches for the first time: scheduling"] = time.Since(start).Seconds()
	return b.client.Launch(ctx, "bench")
}

// steady watches the fleet while nothing happens, after it has been calm for so long
// that it would be balanced, were it uneven.
func (b *liveBench) steady() error {
	time.Sleep(time.Duration(schedule.DefaultPolicy().BalanceCalm) * time.Second)
	before, err := b.usage()
	if err != nil {
		return err
	}
	leader, _ := b.leader(context.Background())
	if leader == nil {
		return errNoLeader
	}
	stop, err := b.profileOf(leader, "steady")
	if err != nil {
		return err
	}
	stopFollower, err := b.profileOf(b.after(leader), "steady, not the leader")
	if err != nil {
		return err
	}
	time.Sleep(steadyFor)
	after, err := b.usage()
	stop()
	stopFollower()
	if err != nil {
		return err
	}
	minutes := after.at.Sub(before.at).Minutes()
	b.figures["steady: CPU of the leader"] = 100 * (after.cpu - before.cpu) / (60 * minutes)
	b.figures["steady: CPU of the two others"] = 100 * (after.othersCPU - before.othersCPU) / (60 * minutes)
	b.figures["steady: proposed to DrummerDB's log"] = float64(after.proposed-before.proposed) / 1e6 / minutes
	b.figures["steady: written to disk by the leader"] = float64(after.written-before.written) / 1e6 / minutes
	return nil
}

// usage is what the server that leads has used up so far.
type usage struct {
	at        time.Time
	cpu       float64 // seconds, user and system
	othersCPU float64 // of the other servers
	written   uint64  // bytes, to the file system
	proposed  uint64  // bytes
}

func (b *liveBench) usage() (usage, error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	leader, status := b.leader(ctx)
	if leader == nil || !status.GetScheduling() {
		return usage{}, errNoLeader
	}
	u := usage{at: time.Now(), proposed: status.GetProposedBytes()}
	for _, s := range b.servers {
		cpu, err := s.cpu()
		if err != nil {
			return u, err
		}
		if s == leader {
			u.cpu += cpu
		} else {
			u.othersCPU += cpu
		}
	}
	io, err := os.ReadFile(leader.proc("io"))
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(io)) {
		if text, ok := strings.CutPrefix(line, "write_bytes: "); ok {
			u.written, err = strconv.ParseUint(strings.TrimSpace(text), 10, 64)
		}
	}
	return u, err
}

func (s *serverProcess) proc(file string) string {
	return fmt.Sprintf("/proc/%d/%s", s.Process.Pid, file)
}

// cpu is the processor time that the server has taken so far, in seconds.
func (s *serverProcess) cpu() (seconds float64, err error) {
	stat, err := os.ReadFile(s.proc("stat"))
	if err != nil {
		return 0, err
	}
	// The fields follow the name of the program, which is in parentheses.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const user, system, ticksPerSecond = 11, 12, 100
	for _, i := range []int{user, system} {
		ticks, err := strconv.ParseFloat(fields[i], 64)
		if err != nil {
			return 0, err
		}
		seconds += ticks / ticksPerSecond
	}
	return seconds, nil
}

// pages asks for what people ask for, as the command line does.
func (b *liveBench) pages() error {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	for _, p := range []struct {
		name string
		ask  func() error
	}{
		{"first page of clusters", func() error {
			_, err := b.client.LocatePage(ctx, &pb.LocateRequest{})
			return err
		}},
		{"first page of nodehosts", func() error {
			_, err := b.client.ListNodeHostsPage(ctx, "", 0)
			return err
		}},
		{"one cluster in full", func() error {
			_, err := b.client.Locate(ctx, uint64(b.fleet.Clusters/2))
			return err
		}},
		{"wait for all clusters, once", func() error {
			out, err := b.client.LocatePage(ctx, &pb.LocateRequest{Unfinished: true, Limit: 1})
			if err == nil && len(out.GetClusters()) > 0 {
				return fmt.Errorf("cluster %v is not as specified", out.GetClusters()[0])
			}
			return err
		}},
	} {
		const times = 5
		start := time.Now()
		for range times {
			if err := p.ask(); err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			time.Sleep(time.Second) // so that each meets another state
		}
		b.figures[p.name] = (time.Since(start) - times*time.Second).Seconds() * 1000 / times
	}
	return nil
}

// locate asks for clusters one by one with many callers at a time, as programs do that
// use package client, and by calls of a size.
func (b *liveBench) locate() error {
	page := func(ctx context.Context, c *client.Client, ids []uint64) (*pb.LocateResponse, error) {
		return c.LocatePage(ctx, &pb.LocateRequest{ClusterIds: ids})
	}
	shared := func(ctx context.Context, c *client.Client, ids []uint64) (*pb.LocateResponse, error) {
		return c.Locate(ctx, ids...)
	}
	for _, l := range []struct {
		name         string
		callers, ids int
		ask          func(context.Context, *client.Client, []uint64) (*pb.LocateResponse, error)
	}{
		{"locate: over gRPC, by 1000 callers", 250, 1, shared},
		{"locate: over gRPC, by 64 callers", 16, 1, shared},
		{"locate: over gRPC, a call for each, by 64 callers", 16, 1, page},
	} {
		stop, err := b.profile(l.name)
		if err != nil {
			return err
		}
		rate, err := b.locateAtOnce(l.callers, l.ids, l.ask)
		stop()
		if err != nil {
			return err
		}
		b.figures[l.name] = rate
	}
	return nil
}

// locateAtOnce has so many callers a client ask for so many clusters as fast as they
// can.
func (b *liveBench) locateAtOnce(callers, ids int, ask func(context.Context, *client.Client, []uint64) (*pb.LocateResponse, error)) (perSecond float64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	var located atomic.Int64
	var failed atomic.Pointer[error]
	var running sync.WaitGroup
	start := time.Now()
	for range locateClients {
		c, err := b.newClient()
		if err != nil {
			return 0, err
		}
		defer c.Close()
		for caller := range callers {
			running.Go(func() {
				id := uint64(caller)
				wanted := make([]uint64, ids)
				for time.Since(start) < locateFor {
					for i := range wanted {
						id = (id + 7919) % uint64(b.fleet.Clusters)
						wanted[i] = id + 1
					}
					out, err := ask(ctx, c, wanted)
					if err != nil {
						failed.Store(&err)
						return
					}
					located.Add(int64(len(out.GetClusters())))
				}
			})
		}
	}
	running.Wait()
	if failure := failed.Load(); failure != nil {
		return 0, *failure
	}
	return float64(located.Load()) / time.Since(start).Seconds(), nil
}

// changeLeader hands over to another server, which has to hear the fleet anew.
func (b *liveBench) changeLeader() error {
	before, err := b.untilScheduling(0)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), settleFor)
	defer cancel()
	leader, _ := b.leader(ctx)
	if leader == nil {
		return errNoLeader
	}
	stop, err := b.profileOf(b.after(leader), "change of leader")
	if err != nil {
		return err
	}
	defer stop()
	start := time.Now()
	if _, err := fmt.Fprintln(leader.control, transfer); err != nil {
		return err
	}
	if _, err := b.untilScheduling(before.GetTerm()); err != nil {
		return err
	}
	b.figures["change of leader: scheduling again"] = time.Since(start).Seconds()
	return nil
}
