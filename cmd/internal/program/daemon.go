// SPDX-License-Identifier: Apache-2.0

package program

import (
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/drummer/rpc"
)

// Daemon is a program that a configuration file describes, and that runs until a
// signal ends it.
type Daemon struct {
	Name, Short, Long string
	// Run is given the path of the configuration file, and whether the command
	// line allows plain text.
	Run func(path string, plaintext bool) error
}

// Main runs the daemon by the command line and ends the process.
func (d Daemon) Main() {
	err := d.Command().Execute()
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", d.Name, err)
	}
	os.Exit(ExitCode(err))
}

// Command is the daemon's command line.
func (d Daemon) Command() *cobra.Command {
	var path string
	var plaintext bool
	cmd := &cobra.Command{
		Use:           d.Name + " --config FILE",
		Short:         d.Short,
		Long:          d.Long,
		Args:          func(cmd *cobra.Command, args []string) error { return Usage(cobra.NoArgs(cmd, args)) },
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(*cobra.Command, []string) error {
			if path == "" {
				return Usage(errors.New("--config is missing"))
			}
			return d.Run(path, plaintext)
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage(err) })
	cmd.Flags().StringVar(&path, "config", "", "configuration file")
	cmd.Flags().BoolVar(&plaintext, "plaintext", false, "listen beyond loopback without TLS, when the file says so too")
	return cmd
}

// Usage makes a mistake of the user of an error; nil stays nil.
func Usage(err error) error {
	if err == nil {
		return nil
	}
	return UsageError{err}
}

// Common is what every daemon's configuration file has.
type Common struct {
	TLS       rpc.TLSFiles `yaml:"tls"`
	Plaintext bool         `yaml:"plaintext"`
	LogLevel  string       `yaml:"log_level"`
}

// CheckListens refuses to listen at addresses in plain text, unless they are on
// loopback or it was said twice.
func (c *Common) CheckListens(flagAllows bool, addresses ...string) error {
	if !c.TLS.Empty() {
		return nil
	}
	return CheckPlaintext(c.Plaintext, flagAllows, addresses...)
}

// Begin makes the daemon's logger and both sides of its TLS, which are nil
// without certificates.
func (c *Common) Begin() (log *slog.Logger, server, client *tls.Config, err error) {
	if log, err = Log(c.LogLevel); err != nil {
		return nil, nil, nil, err
	}
	server, client, err = c.TLS.Load()
	return log, server, client, Usage(err)
}
