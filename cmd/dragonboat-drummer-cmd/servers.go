// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// serversPoll is how often a wait for a server asks.
const serversPoll = 500 * time.Millisecond

func (t *tool) servers() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "servers",
		Short: "List the Drummer servers; add, remove and replace them",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				out, err := c.ListServers(ctx)
				if err != nil {
					return err
				}
				return t.show(out, "NODE ROLE LEADS ALIVE RAFT ADDRESS", serverRows(out))
			})
		},
	}
	cmd.AddCommand(
		&cobra.Command{
			Use: "add RAFT-ADDRESS ADDRESS", Args: cobra.ExactArgs(2),
			Short: "Make room for one more server, and say how to start it",
			RunE: func(cmd *cobra.Command, args []string) error {
				if err := serverAddresses(args[0], args[1]); err != nil {
					return err
				}
				return t.with(cmd, func(ctx context.Context, c *client.Client) error {
					id, err := c.AddServer(ctx, t.by, args[0], args[1])
					if err != nil {
						return err
					}
					return t.say("start the server at %s with node_id: %d and join: true; it becomes a voter once it has caught up", args[0], id)
				})
			},
		},
		t.removeServer(),
		&cobra.Command{
			Use: "replace NODE RAFT-ADDRESS ADDRESS", Args: cobra.ExactArgs(3),
			Short: "Add a server, wait until it votes, and remove NODE",
			Long: "Add a server, say how to start it, wait for it to become a voter (as long as --timeout says), and remove NODE. Called again, it goes on where it was. " +
				"With the addresses of NODE itself, which must be dead, NODE is removed first, unless that would cost the quorum.",
			RunE: func(cmd *cobra.Command, args []string) error {
				id, err := nodeID(args[0])
				if err != nil {
					return err
				}
				if err := serverAddresses(args[1], args[2]); err != nil {
					return err
				}
				return t.with(cmd, func(ctx context.Context, c *client.Client) error {
					return t.replaceServer(ctx, c, id, args[1], args[2])
				})
			},
		},
	)
	return cmd
}

func (t *tool) removeServer() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: "remove NODE", Args: cobra.ExactArgs(1),
		Short: "Take a server out; refused when it would cost the quorum, unless you say --yes",
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := nodeID(args[0])
			if err != nil {
				return err
			}
			return t.with(cmd, func(ctx context.Context, c *client.Client) error {
				if err := c.RemoveServer(ctx, t.by, id, yes); err != nil {
					return err
				}
				return t.say("server %d is removed; stop it if it still runs", id)
			})
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "also when the servers that stay are no working majority: Drummer then stands still until others are back")
	return cmd
}

// serverAddresses checks what a new server is to be reached at.
func serverAddresses(raftAddress, address string) error {
	for _, a := range []string{raftAddress, address} {
		if _, port, err := net.SplitHostPort(a); err != nil || port == "" {
			return program.Usagef("%q is no address of a server, it must be HOST:PORT", a)
		}
	}
	if raftAddress == address {
		return program.Usagef("%s can't be both the RaftAddress and the gRPC address of a server", address)
	}
	return nil
}

func nodeID(text string) (uint64, error) {
	id, err := strconv.ParseUint(text, 10, 64)
	if err != nil || id == 0 {
		return 0, program.Usagef("%q is no node ID of a server", text)
	}
	return id, nil
}

func serverRows(out *pb.ListServersResponse) [][]string {
	var rows [][]string
	for _, s := range out.GetServers() {
		rows = append(rows, []string{number(s.GetNodeId()), strings.ToLower(s.GetRole().String()), yes(s.GetLeader()), yes(s.GetAlive()), s.GetRaftAddress(), dash(s.GetAddress())})
	}
	return rows
}

// replaceServer keeps nothing between its steps: each looks at what holds.
func (t *tool) replaceServer(ctx context.Context, c *client.Client, old uint64, raftAddress, address string) error {
	id, err := t.successor(ctx, c, old, raftAddress, address)
	if err != nil {
		return err
	}
	if err := t.say("start the server at %s with node_id: %d and join: true, on an empty data_dir; waiting for it to vote", raftAddress, id); err != nil {
		return err
	}
	asked := false
	err = program.Poll(ctx, serversPoll, func() (bool, error) {
		out, err := c.ListServers(ctx)
		asked = asked || err == nil
		return votes(out, id), err
	})
	switch {
	case err != nil && ctx.Err() != nil && asked:
		return t.inVain(fmt.Sprintf("server %d does not vote yet; nothing was removed", id))
	case err != nil:
		return err
	}
	if err := c.RemoveServer(ctx, t.by, old, false); err != nil {
		return err
	}
	return t.say("server %d has replaced server %d", id, old)
}

// successor is the node ID of the server that takes old's place: one that is at
// the address already, or one that is added. Old itself goes before when it is
// at that address.
func (t *tool) successor(ctx context.Context, c *client.Client, old uint64, raftAddress, address string) (uint64, error) {
	out, err := c.ListServers(ctx)
	if err != nil {
		return 0, err
	}
	there, known := uint64(0), false
	for _, s := range out.GetServers() {
		if s.GetRaftAddress() == raftAddress {
			there = s.GetNodeId()
			if there == old && s.GetAlive() {
				return 0, status.Errorf(codes.FailedPrecondition, "server %d runs at %s and can't replace itself; stop it first, or give another address", old, raftAddress)
			}
		}
		known = known || s.GetNodeId() == old
	}
	if there == old || !known {
		// Nothing is done to one that was removed before, and one that never
		// was is refused.
		if err := c.RemoveServer(ctx, t.by, old, false); err != nil {
			return 0, err
		}
	}
	if there != 0 && there != old {
		return there, nil
	}
	return c.AddServer(ctx, t.by, raftAddress, address)
}

func votes(out *pb.ListServersResponse, id uint64) bool {
	for _, s := range out.GetServers() {
		if s.GetNodeId() == id {
			return s.GetRole() == pb.MemberRole_VOTER
		}
	}
	return false
}
