// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

func (t *tool) clusters() *cobra.Command {
	return &cobra.Command{
		Use:   "clusters [IDS]",
		Short: "List clusters; with IDs, as 7, 1-6 or 1-6,9, describe each member",
		Args:  cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var ids []uint64
			if len(args) == 1 {
				var err error
				if ids, err = parseIDs(args[0]); err != nil {
					return program.Usage(err)
				}
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				out, err := c.Locate(ctx, ids...)
				if err != nil {
					return err
				}
				if len(ids) == 0 {
					return t.show(out, "CLUSTER APPLICATION SIZE MEMBERS CCID LEADER AVAILABLE WAITING-FOR", clusterRows(out))
				}
				if missing := len(ids) - len(out.GetClusters()); missing > 0 {
					return status.Errorf(codes.NotFound, "Drummer does not know %d of these %d clusters", missing, len(ids))
				}
				return t.show(out, "CLUSTER NODE ROLE RUNNING LEADER RAFT API NODEHOST", memberRows(out))
			})
		},
	}
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
	return &cobra.Command{
		Use:   "nodehosts",
		Short: "List the NodeHosts that Drummer has heard of",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				out, err := c.ListNodeHosts(ctx)
				if err != nil {
					return err
				}
				var rows [][]string
				for _, h := range out.GetHosts() {
					rows = append(rows, []string{
						h.GetHost().GetNodehostId(), strings.ToLower(h.GetState().String()), dash(h.GetHost().GetRegion()),
						h.GetHost().GetRaftAddress(), dash(h.GetHost().GetApiAddress()), number(h.GetNodes()), number(h.GetLastSeenTick()),
					})
				}
				return t.show(out, "NODEHOST STATE REGION RAFT API NODES LAST-SEEN", rows)
			})
		},
	}
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
	var after uint64
	var limit uint32
	var follow bool
	cmd := &cobra.Command{
		Use:   "events",
		Short: "Show Drummer's log of decisions and of what came of them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if follow {
				return t.follow(cmd, after)
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				out, err := c.ListEvents(ctx, after, limit)
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
	cmd.Flags().Uint64Var(&after, "after", 0, "only events with a higher sequence")
	cmd.Flags().Uint32Var(&limit, "limit", 0, "how many at most; 0: 1000")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what happens, until interrupted; one line an event")
	return cmd
}

// follow prints events as they happen, one a line, until it is interrupted.
func (t *tool) follow(cmd *cobra.Command, after uint64) error {
	c, err := t.connect()
	if err != nil {
		return err
	}
	defer c.Close()
	err = c.WatchEvents(cmd.Context(), after, func(e *pb.Event) error {
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
	answered := 0
	for _, server := range t.drummers {
		s, err := c.Status(ctx, server)
		if err != nil {
			last = err
			rows = append(rows, []string{server, "no", "-", "-", "-", "-", "-", plain(err)})
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
		rows = append(rows, []string{server, "yes", yes(s.GetLeader()), number(s.GetTerm()), number(s.GetTick()), number(s.GetDbIndex()), yes(s.GetLaunched()), ""})
	}
	if answered == 0 {
		return last
	}
	if t.output == "json" {
		return nil
	}
	return t.show(nil, "SERVER ANSWERS LEADS TERM TICK INDEX LAUNCHED ERROR", rows)
}
