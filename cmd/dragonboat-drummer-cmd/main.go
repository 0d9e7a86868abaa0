// SPDX-License-Identifier: Apache-2.0

// Command dragonboat-drummer-cmd is how people and scripts talk to Drummer.
//
// Exit codes: 0 done · 1 Drummer refused · 2 waited in vain · 64 bad usage or
// invalid input · 69 no Drummer server (or NodeHost) answered · 70 internal
// error.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

func main() {
	program.Main(func(ctx context.Context) int { return run(ctx, os.Args[1:], os.Stdout, os.Stderr) })
}

// run executes one command line and returns its exit code.
func run(ctx context.Context, args []string, out, errOut io.Writer) int {
	t := &tool{out: out, errOut: errOut}
	root := t.root()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	if err != nil {
		fmt.Fprintln(errOut, "dragonboat-drummer-cmd:", plain(err))
	}
	return exitCode(err)
}

// plain is an error as people read it: the sentence without gRPC's wrapping.
func plain(err error) string {
	return grpcPrefix.ReplaceAllString(err.Error(), "")
}

var grpcPrefix = regexp.MustCompile(`rpc error: code = \w+ desc = `)

// exitCode also knows what the gRPC codes of Drummer's answers mean.
func exitCode(err error) int {
	if _, ok := program.CodeOf(err); ok || err == nil {
		return program.ExitCode(err)
	}
	switch status.Code(err) {
	case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled:
		return program.ExitUnavailable
	case codes.InvalidArgument, codes.AlreadyExists, codes.NotFound, codes.FailedPrecondition,
		codes.PermissionDenied, codes.Unauthenticated, codes.Unimplemented, codes.Aborted, codes.OutOfRange:
		return program.ExitRefused
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return program.ExitUnavailable
	}
	return program.ExitInternal
}

// tool is one run of the program: its flags and where it writes.
type tool struct {
	out      io.Writer
	errOut   io.Writer
	drummers []string
	tls      rpc.TLSFiles
	timeout  time.Duration
	output   string
	by       string
}

func (t *tool) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "dragonboat-drummer-cmd",
		Short: "Define, launch and watch Raft clusters through Drummer",
	}
	flags := root.PersistentFlags()
	flags.StringSliceVar(&t.drummers, "drummers", nil, "addresses of the Drummer servers; all are tried (default $DRUMMERS)")
	flags.StringVar(&t.tls.CA, "ca", "", "CA certificate file, for mutual TLS")
	flags.StringVar(&t.tls.Cert, "cert", "", "certificate file, for mutual TLS")
	flags.StringVar(&t.tls.Key, "key", "", "key file, for mutual TLS")
	flags.DurationVar(&t.timeout, "timeout", 15*time.Second, "how long to try")
	flags.StringVar(&t.by, "by", os.Getenv("USER"), "who asks, for the event log")
	flags.StringVarP(&t.output, "output", "o", "table", "table or json")
	root.AddCommand(
		t.define(), t.launch(), t.update(), t.delete(), t.wait(),
		t.clusters(), t.nodehosts(), t.operations(), t.events(), t.status(),
		t.hostMode("cordon", "Give a NodeHost no new nodes", pb.HostMode_CORDON),
		t.hostMode("drain", "Move all nodes of a NodeHost elsewhere, and give it no new ones", pb.HostMode_DRAIN),
		t.hostMode("activate", "End a cordon or a drain", pb.HostMode_ACTIVE),
		t.forget(), t.pause(), t.resume(), t.dryRun(), t.servers(),
		t.backup(), t.restore(), t.recover(),
		t.kv(), t.certs())
	program.Strict(root)
	return root
}

// with runs do with a client and a deadline.
func (t *tool) with(cmd *cobra.Command, do func(context.Context, *client.Client) error) error {
	c, err := t.connect(cmd.Context())
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(cmd.Context(), t.timeout)
	defer cancel()
	return do(ctx, c)
}

// connect checks the flags that every command has and makes a client. Until ctx ends
// its certificates are read again when their files change.
func (t *tool) connect(ctx context.Context) (*client.Client, error) {
	if t.output != "table" && t.output != "json" {
		return nil, program.Usagef("--output is %q, it must be table or json", t.output)
	}
	if t.timeout <= 0 {
		return nil, program.Usagef("--timeout is %v, it must be above 0", t.timeout)
	}
	if len(t.drummers) == 0 {
		t.drummers = splitList(os.Getenv("DRUMMERS"))
	}
	if len(t.drummers) == 0 {
		return nil, program.Usagef("name the Drummer servers with --drummers or in $DRUMMERS")
	}
	certs, err := t.tls.Load(nil)
	if err != nil {
		return nil, program.Usage(err)
	}
	go certs.Follow(ctx, slog.New(slog.NewTextHandler(t.errOut, nil)))
	return client.New(client.Config{Drummers: t.drummers, TLS: certs.Client()})
}
