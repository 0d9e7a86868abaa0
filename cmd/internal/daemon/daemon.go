// SPDX-License-Identifier: Apache-2.0

// Package daemon is what a Drummer server and a NodeHost have in common as
// programs: a configuration file, TLS and the rule about plain text, a log, and an
// orderly end. It has nothing of what a daemon does.
package daemon

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/dragonlog"
	"github.com/drumbeat-raft/drumbeat/drummer/rafttcp"
	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// Daemon is a program that a configuration file describes, and that runs until a
// signal ends it.
type Daemon struct {
	Name, Short, Long string
	// Run is given the path of the configuration file, and whether the command
	// line allows plain text. It returns soon after ctx has ended.
	Run func(ctx context.Context, path string, plaintext bool) error
	// Commands are for a daemon that does not run.
	Commands []*cobra.Command
}

// Main runs the daemon by the command line and ends the process.
func (d Daemon) Main() {
	program.Main(func(ctx context.Context) int {
		err := d.command().ExecuteContext(ctx)
		if err != nil {
			fmt.Fprintf(os.Stderr, "%s: %v\n", d.Name, err)
		}
		return program.ExitCode(err)
	})
}

func (d Daemon) command() *cobra.Command {
	var path string
	var plaintext bool
	cmd := &cobra.Command{
		Use:   d.Name + " --config FILE",
		Short: d.Short,
		Long:  d.Long,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if path == "" {
				return program.Usage(errors.New("--config is missing"))
			}
			return d.Run(cmd.Context(), path, plaintext)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file")
	cmd.Flags().BoolVar(&plaintext, "plaintext", false, "listen beyond loopback without TLS, when the file says so too")
	cmd.AddCommand(d.Commands...)
	program.Strict(cmd)
	return cmd
}

// Common is what every daemon's configuration file has.
type Common struct {
	TLS       rpc.TLSFiles `yaml:"tls"`
	Plaintext bool         `yaml:"plaintext"`
	LogLevel  string       `yaml:"log_level"`
	// Limits bound what callers can make the process hold.
	Limits rpc.Limits `yaml:"limits"`
	// RaftLimits bound what strangers can make the Raft port hold.
	RaftLimits rafttcp.Limits `yaml:"raft_limits"`
}

// CheckListens refuses to listen in plain text beyond this machine, unless both
// the configuration file and the command line allow it.
func (c *Common) CheckListens(flagAllows bool, addresses ...string) error {
	if !c.TLS.Empty() || c.Plaintext && flagAllows {
		return nil
	}
	for _, address := range addresses {
		if !loopback(address) {
			return program.Usagef("%s is not a loopback address and there is no TLS; configure tls, or say both 'plaintext: true' in the file and --plaintext on the command line", address)
		}
	}
	return nil
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// CheckLimits refuses limits under which nothing could work.
func (c *Common) CheckLimits() error {
	if err := c.Limits.Validate(); err != nil {
		return program.Usagef("limits: %v", err)
	}
	return program.Usage(c.RaftLimits.Validate())
}

// Begin makes the daemon's logger, and loads the certificates of its TLS, nil where
// there are none. Until ctx ends they are read again when their files change. Accept
// returns why a certificate is not good for this daemon.
func (c *Common) Begin(ctx context.Context, accept func(*x509.Certificate) error) (log *slog.Logger, certs *rpc.Certificates, err error) {
	if log, err = newLogger(c.LogLevel); err != nil {
		return nil, nil, err
	}
	if certs, err = c.TLS.Load(accept); err != nil {
		return nil, nil, program.Usage(err)
	}
	go certs.Follow(ctx, log)
	return log, certs, nil
}

// newLogger makes the daemon's logger and sends Dragonboat's logs to it. Level is
// debug, info, warn or error; Dragonboat's own are shown from warnings up, unless
// the level is debug.
func newLogger(level string) (*slog.Logger, error) {
	var parsed slog.Level
	if level == "" {
		level = "info"
	}
	if err := parsed.UnmarshalText([]byte(level)); err != nil {
		return nil, program.Usagef("log level %q is none of debug, info, warn, error", level)
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: parsed}))
	least := slog.LevelWarn
	if parsed < slog.LevelInfo {
		least = parsed
	}
	dragonlog.Install(log, least, nil)
	return log, nil
}
