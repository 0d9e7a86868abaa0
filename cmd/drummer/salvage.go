// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer"
	"github.com/drumbeat-raft/drumbeat/drummer/client"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
)

// askOthers bounds the question whether the other servers still work.
const askOthers = 5 * time.Second

// salvage is for the survivor of a majority that is lost.
func salvage() *cobra.Command {
	var path, out string
	var sure bool
	cmd := &cobra.Command{
		Use:   "salvage --config FILE --out BACKUP --majority-is-lost",
		Short: "Make a backup of what a server has on its disk, when a majority of the servers is lost for good",
		Long: "Make a backup of what a server has on its disk, when a majority of the servers is lost for good and this one is stopped. " +
			"New servers on empty disks take it over with `dragonboat-drummer-cmd restore`. docs/operating-drummer.md, 'Disasters', has the whole way.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case path == "" || out == "":
				return program.Usagef("--config and --out are both needed")
			case !sure:
				return program.Usagef("what the lost servers had acknowledged and this one never received is given up; if they are lost for good, say --majority-is-lost")
			}
			return runSalvage(cmd, path, out)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file of the server that is left")
	cmd.Flags().StringVar(&out, "out", "", "file of the backup, which must not be there")
	cmd.Flags().BoolVar(&sure, "majority-is-lost", false, "do it")
	return cmd
}

func runSalvage(cmd *cobra.Command, path, out string) error {
	file, err := load(path)
	if err == nil {
		err = file.check(path, true) // nothing listens in plain text for others
	}
	if err != nil {
		return err
	}
	log, certs, err := file.Begin(cmd.Context(), role.Bears(role.Server, ""))
	if err != nil {
		return err
	}
	config := file.config(certs, log)
	config.ClientTLS, config.Logger = certs.Client(), log
	if err := othersLost(cmd.Context(), config); err != nil {
		return err
	}
	backup, err := drummer.Salvage(cmd.Context(), config)
	if err != nil {
		return err
	}
	if err := program.WriteNew(out, backup); err != nil {
		return program.Usage(err)
	}
	_, err = fmt.Fprintf(cmd.OutOrStdout(), "wrote %s. Empty the data_dirs of all servers, start new ones there, and give them the backup: dragonboat-drummer-cmd restore %s\n", out, out)
	return err
}

// othersLost returns an error when the other servers answer: only a majority can say
// who the members are.
func othersLost(ctx context.Context, config drummer.Config) error {
	var others []string
	for id, peer := range config.Members {
		if id != config.NodeID {
			others = append(others, peer.Address)
		}
	}
	if len(others) == 0 {
		return nil
	}
	c, err := client.New(client.Config{Drummers: others, TLS: config.ClientTLS})
	if err != nil {
		return err
	}
	defer c.Close()
	ctx, cancel := context.WithTimeout(ctx, askOthers)
	defer cancel()
	if _, err := c.ListServers(ctx); err == nil {
		return errors.New("a majority of the servers works without this one; nothing is lost: start it again, or let another one take its place with `dragonboat-drummer-cmd servers replace`")
	}
	return nil
}
