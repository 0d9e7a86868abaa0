// SPDX-License-Identifier: Apache-2.0

package program

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

// Strict makes wrong flags and arguments of a command, and of all below it, usage
// errors, and leaves printing errors to the caller. A command that only has
// subcommands asks for one of them.
func Strict(root *cobra.Command) {
	root.SilenceUsage, root.SilenceErrors = true, true
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return Usage(err) })
	strictArgs(root)
}

func strictArgs(cmd *cobra.Command) {
	if cmd.RunE == nil && cmd.Run == nil && cmd.HasSubCommands() {
		cmd.RunE = func(*cobra.Command, []string) error { return Usage(errors.New("name a command; --help lists them")) }
	}
	accept := cmd.Args
	if accept == nil {
		accept = cobra.NoArgs
	}
	cmd.Args = func(cmd *cobra.Command, given []string) error {
		if err := accept(cmd, given); err != nil {
			return Usage(fmt.Errorf("%s: %w", cmd.Name(), err))
		}
		return nil
	}
	for _, sub := range cmd.Commands() {
		strictArgs(sub)
	}
}
