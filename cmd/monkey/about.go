// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime/debug"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/monkey/harness"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// tableCommand makes a verb that prints a table.
func tableCommand(use, short string, rows func(t io.Writer) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			t := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
			if err := rows(t); err != nil {
				return err
			}
			return t.Flush()
		},
	}
}

func listCommand() *cobra.Command {
	return tableCommand("list", "List the scenarios that come with Drumbeat", func(t io.Writer) error {
		for _, name := range scenarios.Names() {
			s, err := scenarios.Load(name)
			if err != nil {
				return err
			}
			fmt.Fprintf(t, "%s\t%s\n", name, s.Description)
		}
		return nil
	})
}

func faultsCommand() *cobra.Command {
	return tableCommand("faults", "List the kinds of fault, what they need of a world, and their parameters", func(t io.Writer) error {
		for _, k := range scenarios.FaultKinds() {
			fmt.Fprintf(t, "%s\tneeds %s\t%s\t%s\n", k.Name, k.Needs, fieldList(k.ParameterReference()), k.Doc)
		}
		return nil
	})
}

func checksCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "checks",
		Short: "List the checks with their settings, and what expect may assert",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			w := cmd.OutOrStdout()
			fmt.Fprint(w, "Checks, and their settings beside 'enabled':\n\n")
			for _, k := range scenarios.CheckKinds() {
				item(w, k.Key, k.Doc, fieldList(k.SettingReference()))
			}
			fmt.Fprint(w, "\nMeasures, and what 'expect' may say of them:\n\n")
			for _, m := range scenarios.Measures() {
				item(w, m.Key, m.Doc, m.Form())
			}
			return nil
		},
	}
}

// width is how long lines of text on a terminal may be.
const width = 100

// item writes a name, and below it paragraphs that are wrapped; empty ones are
// left out.
func item(w io.Writer, name string, paragraphs ...string) {
	const indent = "    "
	fmt.Fprintf(w, "  %s\n", name)
	for _, p := range paragraphs {
		for _, line := range wrap(p, width-len(indent)) {
			fmt.Fprintf(w, "%s%s\n", indent, line)
		}
	}
}

// wrap breaks a text between words into lines of at most so many characters. A
// longer word is a line of its own.
func wrap(text string, most int) []string {
	var lines []string
	for _, word := range strings.Fields(text) {
		last := len(lines) - 1
		if last < 0 || utf8.RuneCountInString(lines[last])+1+utf8.RuneCountInString(word) > most {
			lines = append(lines, word)
			continue
		}
		lines[last] += " " + word
	}
	return lines
}

// fieldList names fields with their defaults.
func fieldList(entries []scenarios.Entry) string {
	var texts []string
	for _, e := range entries {
		if e.Default != "" {
			e.Path += " (" + e.Default + ")"
		}
		texts = append(texts, e.Path)
	}
	return strings.Join(texts, ", ")
}

func validateCommand() *cobra.Command {
	var sets []string
	cmd := &cobra.Command{
		Use:   "validate FILE…",
		Short: "Check scenario files without running them",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, files []string) error {
			var settings []scenarios.Setting
			for _, text := range sets {
				s, err := scenarios.ParseSetting(text)
				if err != nil {
					return program.Usage(err)
				}
				settings = append(settings, s)
			}
			var failed error
			for _, file := range files {
				if _, err := harness.LoadScenario(file, settings...); err != nil {
					if failed != nil {
						fmt.Fprintln(os.Stderr, failed)
					}
					failed = err
					continue
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s: valid\n", file)
			}
			return program.Usage(failed)
		},
	}
	cmd.Flags().StringArrayVar(&sets, "set", nil, "override a field of the scenario, path=value; repeatable")
	return cmd
}

func schemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of scenario files",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			b, err := scenarios.Schema()
			if err != nil {
				return err
			}
			_, err = cmd.OutOrStdout().Write(b)
			return err
		},
	}
}

func serveCommand() *cobra.Command {
	var listen string
	cmd := &cobra.Command{
		Use:   "serve DIR",
		Short: "Show the directories of runs to a browser on this machine",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if st, err := os.Stat(args[0]); err != nil || !st.IsDir() {
				return program.Usagef("%s is not a directory with runs", args[0])
			}
			l, err := net.Listen("tcp", listen)
			if err != nil {
				return program.Usagef("--listen %s: %w", listen, err)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "http://%s/\n", l.Addr())
			s := &http.Server{Handler: http.FileServer(http.Dir(args[0])), ReadHeaderTimeout: 10 * time.Second}
			go func() {
				<-cmd.Context().Done()
				s.Close()
			}()
			if err := s.Serve(l); err != http.ErrServerClosed {
				return err
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&listen, "listen", "127.0.0.1:8080", "address to listen on")
	return cmd
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program, of Dragonboat and of Go",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(cmd.OutOrStdout(), versionText())
			return err
		},
	}
}

// versionText names what a finding depends on.
func versionText() string {
	const dragonboat = "github.com/lni/dragonboat/v3"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "monkey, of an unknown build"
	}
	text := "monkey " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || s.Key == "vcs.modified" && s.Value == "true" {
			text += " " + strings.Replace(s.Value, "true", "with changes", 1)
		}
	}
	for _, m := range info.Deps {
		if m.Path == dragonboat {
			text += ", dragonboat " + m.Version
		}
	}
	return text + ", " + info.GoVersion
}
