// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// page is what a list is asked for in pieces: those after a place, at most limit.
type page struct {
	after string
	limit uint32
}

func (p *page) flags(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&p.after, "after", "", "only "+what+" above this one")
	cmd.Flags().Uint32Var(&p.limit, "limit", 0, "a page of so many at most, which says where the next one begins; 0: all, page by page")
}

// each asks for one page or, without a limit, for one after the other. Get returns
// where the next one begins, "" after the last.
func (p *page) each(get func(after string) (next string, err error)) (more string, err error) {
	for after := p.after; ; after = more {
		if more, err = get(after); err != nil || more == "" || p.limit != 0 {
			return more, err
		}
	}
}

func (t *tool) clusters() *cobra.Command {
	var pages page
	var unfinished bool
	cmd := &cobra.Command{
		Use:   "clusters [IDS]",
		Short: "List clusters; with IDs, as 7, 1-6 or 1-6,9, describe each with its members, what it waits for and what was refused last",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				ids, err := parseIDs(args[0])
				if err != nil {
					return program.Usage(err)
				}
				return t.with(cmd, func(ctx context.Context, c *client.Client) error { return t.describeClusters(ctx, c, ids) })
			}
			if _, err := afterCluster(pages.after); err != nil {
				return program.Usagef("--after is %q, it must be a cluster ID", pages.after)
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error { return t.listClusters(ctx, c, pages, unfinished) })
		},
	}
	pages.flags(cmd, "clusters with an ID")
	cmd.Flags().BoolVar(&unfinished, "unfinished", false, "only those that are not as specified")
	return cmd
}

// afterCluster reads a ClusterID; "" is 0.
func afterCluster(text string) (uint64, error) {
	if text == "" {
		return 0, nil
	}
	return strconv.ParseUint(text, 10, 64)
}

func (t *tool) listClusters(ctx context.Context, c *client.Client, pages page, unfinished bool) error {
	more, err := pages.each(func(after string) (string, error) {
		id, err := afterCluster(after)
		if err != nil {
			return "", err
		}
		out, err := c.LocatePage(ctx, &pb.LocateRequest{AfterClusterId: id, Limit: pages.limit, Unfinished: unfinished})
		if err != nil {
			return "", err
		}
		next := ""
		if out.GetNextAfterClusterId() != 0 {
			next = number(out.GetNextAfterClusterId())
		}
		return next, t.show(out, "CLUSTER APPLICATION SIZE MEMBERS CCID LEADER AVAILABLE WAITING-FOR", clusterRows(out))
	})
	return t.sayMore(more, err)
}

// sayMore says how to go on after a page that is not the last.
func (t *tool) sayMore(more string, err error) error {
	if err != nil || more == "" || t.output == "json" {
		return err
	}
	_, err = fmt.Fprintf(t.out, "more with --after %s\n", more)
	return err
}

func (t *tool) describeClusters(ctx context.Context, c *client.Client, ids []uint64) error {
	out, err := c.Locate(ctx, ids...)
	if err != nil {
		return err
	}
	if missing := len(ids) - len(out.GetClusters()); missing > 0 {
		return status.Errorf(codes.NotFound, "Drummer does not know %d of these %d clusters", missing, len(ids))
	}
	if err := t.show(out, "CLUSTER NODE ROLE RUNNING LEADER RAFT API NODEHOST", memberRows(out)); err != nil || t.output == "json" {
		return err
	}
	for _, c := range out.GetClusters() {
		if _, err := fmt.Fprint(t.out, describe(c)); err != nil {
			return err
		}
	}
	return nil
}

// describe says what a cluster should be, and what keeps it from that.
func describe(c *pb.ClusterLocation) string {
	var b strings.Builder
	fmt.Fprintf(&b, "cluster %d: %s\n", c.GetClusterId(), specification(c.GetSpec()))
	if w := c.GetWaitingFor(); w != "" {
		fmt.Fprintf(&b, "  waits for %s\n", w)
	}
	if e := c.GetLastRefusal(); e != nil {
		fmt.Fprintf(&b, "  last refused at tick %d, event %d: %s\n", e.GetTick(), e.GetSequence(), e.GetText())
	}
	return b.String()
}

// specification puts a specification in words, as a definition file has them.
func specification(s *pb.ClusterSpec) string {
	if s == nil {
		return "nobody defined it"
	}
	text := fmt.Sprintf("application %s, size %d", s.GetApplication(), s.GetSize())
	for _, part := range []struct{ name, value string }{
		{"regions", pairs(s.GetRegions())}, {"required labels", pairs(s.GetRequiredLabels())},
		{"preferred labels", pairs(s.GetPreferredLabels())}, {"spread over", s.GetSpreadOver()}, {"raft", raftFields(s.GetRaft())},
	} {
		if part.value != "" {
			text += fmt.Sprintf(", %s %s", part.name, part.value)
		}
	}
	return text
}

func pairs[V any](m map[string]V) string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		out = append(out, fmt.Sprintf("%s=%v", k, m[k]))
	}
	return strings.Join(out, " ")
}

// raftFields lists what a Raft configuration sets.
func raftFields(r *pb.RaftConfig) string {
	set := map[string]any{}
	r.ProtoReflect().Range(func(field protoreflect.FieldDescriptor, value protoreflect.Value) bool {
		set[string(field.Name())] = value.Interface()
		return true
	})
	return pairs(set)
}

func clusterRows(out *pb.LocateResponse) [][]string {
	var rows [][]string
	for _, c := range out.GetClusters() {
		running := 0
		for _, m := range c.GetMembers() {
			if m.GetRunning() {
				running++
			}
		}
		rows = append(rows, []string{
			number(c.GetClusterId()), dash(c.GetSpec().GetApplication()), number(c.GetSpec().GetSize()),
			fmt.Sprintf("%d/%d", running, len(c.GetMembers())), number(c.GetConfigChangeId()),
			number(c.GetLeaderId()), yes(c.GetAvailable()), dash(c.GetWaitingFor()),
		})
	}
	return rows
}

func memberRows(out *pb.LocateResponse) [][]string {
	var rows [][]string
	for _, c := range out.GetClusters() {
		for _, m := range c.GetMembers() {
			rows = append(rows, []string{
				number(c.GetClusterId()), number(m.GetNodeId()), strings.ToLower(m.GetRole().String()),
				yes(m.GetRunning()), yes(m.GetNodeId() == c.GetLeaderId()),
				m.GetRaftAddress(), dash(m.GetApiAddress()), dash(m.GetNodehostId()),
			})
		}
	}
	return rows
}

func (t *tool) nodehosts() *cobra.Command {
	var pages page
	cmd := &cobra.Command{
		Use:   "nodehosts",
		Short: "List the NodeHosts that Drummer has heard of",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				more, err := pages.each(func(after string) (string, error) {
					out, err := c.ListNodeHostsPage(ctx, after, pages.limit)
					if err != nil {
						return "", err
					}
					return out.GetNextAfterNodehostId(), t.show(out, "NODEHOST STATE REGION RAFT API NODES LAST-SEEN", hostRows(out))
				})
				return t.sayMore(more, err)
			})
		},
	}
	pages.flags(cmd, "those with a NodeHost ID")
	return cmd
}

func hostRows(out *pb.ListNodeHostsResponse) [][]string {
	var rows [][]string
	for _, h := range out.GetHosts() {
		state := strings.ToLower(h.GetState().String())
		if h.GetHost().GetSick() != "" {
			state += ",sick"
		}
		rows = append(rows, []string{
			h.GetHost().GetNodehostId(), state, dash(h.GetHost().GetRegion()),
			h.GetHost().GetRaftAddress(), dash(h.GetHost().GetApiAddress()), number(h.GetNodes()), number(h.GetLastSeenTick()),
		})
	}
	return rows
}

func (t *tool) operations() *cobra.Command {
	return &cobra.Command{
		Use:   "operations",
		Short: "List what Drummer is doing at the moment",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				out, err := c.ListOperations(ctx)
				if err != nil {
					return err
				}
				var rows [][]string
				for _, op := range out.GetOperations() {
					r := op.GetRequest()
					rows = append(rows, []string{
						number(op.GetId()), strings.ToLower(r.GetKind().String()), number(r.GetClusterId()), number(r.GetNodeId()),
						r.GetNodehostId(), number(op.GetAttempt()), number(op.GetDeadlineTick()), op.GetReason(),
					})
				}
				return t.show(out, "OPERATION KIND CLUSTER NODE NODEHOST ATTEMPT DEADLINE REASON", rows)
			})
		},
	}
}

func (t *tool) events() *cobra.Command {
	req := &pb.ListEventsRequest{NewestFirst: true}
	var since time.Duration
	var oldest, follow bool
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show Drummer's log of decisions and of what came of them, the newest first",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for _, kind := range req.Kinds {
				if !slices.ContainsFunc(pb.EventKinds, func(k pb.EventKind) bool { return k.Name == kind }) {
					return program.Usagef("--kind is %q; the kinds are %s", kind, strings.Join(eventKinds(), ", "))
				}
			}
			if since < 0 {
				return program.Usagef("--since is %v, it must not lie ahead", since)
			}
			if follow {
				for _, name := range []string{"since", "before", "kind", "cluster", "nodehost", "limit", "oldest"} {
					if cmd.Flags().Changed(name) {
						return program.Usagef("--follow shows all that happens; it knows no --%s", name)
					}
				}
				return t.follow(cmd, req.AfterSequence)
			}
			req.SinceNs, req.NewestFirst = int64(since), !oldest
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				out, err := c.ListEvents(ctx, req)
				if err != nil {
					return err
				}
				var rows [][]string
				for _, e := range out.GetEvents() {
					rows = append(rows, []string{number(e.GetSequence()), number(e.GetTick()), number(e.GetDbIndex()), e.GetKind(), e.GetText()})
				}
				return t.show(out, "SEQUENCE TICK INDEX KIND TEXT", rows)
			})
		},
	}
	f := cmd.Flags()
	f.Uint64Var(&req.AfterSequence, "after", 0, "only events with a higher sequence")
	f.Uint64Var(&req.BeforeSequence, "before", 0, "only events with a lower sequence; 0: all")
	f.DurationVar(&since, "since", 0, "only events of the last while, as 10m; by Drummer's clock, which stands still while no server leads")
	f.StringSliceVar(&req.Kinds, "kind", nil, "only events of these kinds")
	f.Uint64Var(&req.ClusterId, "cluster", 0, "only events about this cluster")
	f.StringVar(&req.NodehostId, "nodehost", "", "only events about the NodeHost with this ID")
	f.Uint32Var(&req.Limit, "limit", 0, "how many at most; 0: 1000")
	f.BoolVar(&oldest, "oldest", false, "the oldest first")
	f.BoolVarP(&follow, "follow", "f", false, "go on with what happens, until interrupted; one line an event")
	return cmd
}

func eventKinds() []string {
	var names []string
	for _, k := range pb.EventKinds {
		names = append(names, k.Name)
	}
	return names
}

// follow prints events as they happen, one a line, until it is interrupted. Who goes on
// after the last line of before has each event once.
func (t *tool) follow(cmd *cobra.Command, after uint64) error {
	c, err := t.connect(cmd.Context())
	if err != nil {
		return err
	}
	defer c.Close()
	last := after
	err = c.WatchEvents(cmd.Context(), after, func(e *pb.Event) error {
		if last != 0 && e.GetSequence() > last+1 {
			fmt.Fprintf(t.errOut, "events %d to %d are missing: DrummerDB does not keep them any more\n", last+1, e.GetSequence()-1)
		}
		last = e.GetSequence()
		if t.output == "json" {
			return t.jsonLine(e)
		}
		_, err := fmt.Fprintf(t.out, "%d tick %d index %d %s: %s\n", e.GetSequence(), e.GetTick(), e.GetDbIndex(), e.GetKind(), e.GetText())
		return err
	})
	if cmd.Context().Err() != nil {
		return nil // interrupted, as it is meant to end
	}
	return err
}

func (t *tool) status() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Ask each Drummer server how it is",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				return t.showStatus(ctx, c)
			})
		},
	}
}

// silent prints, for programs, that a server does not answer.
func (t *tool) silent(server string, err error) error {
	if t.output != "json" {
		return nil
	}
	out := json.NewEncoder(t.out)
	out.SetIndent("", "  ")
	return out.Encode(struct {
		Server string `json:"server"`
		Error  string `json:"error"`
	}{server, plain(err)})
}

// showStatus fails only when no server answers.
func (t *tool) showStatus(ctx context.Context, c *client.Client) error {
	var rows [][]string
	var last error
	var newest *pb.StatusResponse
	var refused []string
	answered := 0
	for _, server := range t.drummers {
		s, err := c.Status(ctx, server)
		if err != nil {
			last = err
			rows = append(rows, []string{server, "no", "-", "-", "-", "-", "-", "-", plain(err)})
			if err := t.silent(server, err); err != nil {
				return err
			}
			continue
		}
		answered++
		if t.output == "json" {
			if err := t.json(s); err != nil {
				return err
			}
			continue
		}
		rows = append(rows, []string{server, "yes", yes(s.GetLeader()), number(s.GetTerm()), number(s.GetTick()), number(s.GetDbIndex()), yes(s.GetLaunched()), scheduling(s), ""})
		newest = newer(newest, s)
		refused = append(refused, refusals(server, s)...)
	}
	if answered == 0 {
		return last
	}
	if t.output == "json" {
		return nil
	}
	if err := t.show(nil, "SERVER ANSWERS LEADS TERM TICK INDEX LAUNCHED SCHEDULES ERROR", rows); err != nil {
		return err
	}
	return t.lines(append(alarms(newest), refused...))
}

// refusals says in words which calls a server has refused.
func refusals(server string, s *pb.StatusResponse) []string {
	var out []string
	for _, r := range s.GetRefusals() {
		out = append(out, fmt.Sprintf("%s has refused %d calls of %s to role %s; its log says whose", server, r.GetCount(), r.GetMethod(), r.GetRole()))
	}
	return out
}

// scheduling says whether a server decides.
func scheduling(s *pb.StatusResponse) string {
	switch {
	case !s.GetLeader():
		return "-"
	case s.GetPaused():
		return "paused"
	case !s.GetScheduling():
		return "not yet, it waits to hear the fleet"
	default:
		return "yes"
	}
}

// newer is the one of two answers that has more of DrummerDB.
func newer(a, b *pb.StatusResponse) *pb.StatusResponse {
	if a == nil || b.GetDbIndex() > a.GetDbIndex() {
		return b
	}
	return a
}

// alarms says what keeps Drummer from repairing.
func alarms(s *pb.StatusResponse) (lines []string) {
	if s.GetPaused() {
		lines = append(lines, "Drummer is paused, and decides nothing: "+dash(s.GetPauseReason()))
	}
	for _, fuse := range s.GetBlown() {
		lines = append(lines, "blown, so dead members are not replaced: "+fuse)
	}
	if n := s.GetCrossCheckDifferences(); n > 0 {
		lines = append(lines, fmt.Sprintf("a bug of Drummer: %d of %d cross-checks of its decisions found a difference, and were followed", n, s.GetCrossChecks()))
	}
	return lines
}

func (t *tool) lines(lines []string) error {
	for _, line := range lines {
		if _, err := fmt.Fprintln(t.out, line); err != nil {
			return err
		}
	}
	return nil
}
