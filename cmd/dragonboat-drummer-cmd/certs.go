// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"net"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/drumbeat-raft/drumbeat/cmd/internal/program"
	"github.com/drumbeat-raft/drumbeat/drummer/role"
)

// certificateLife is how long a certificate is valid unless the command line says
// otherwise.
const certificateLife = 90 * 24 * time.Hour

// certs makes certificates, one command for each role.
func (t *tool) certs() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "certs",
		Short: "Make certificates for mutual TLS, each for one role, and a CA for them",
		Long: "Make NAME.pem and NAME-key.pem in DIRECTORY, signed by the CA that is there as ca.pem and ca-key.pem; it is made when there is none. " +
			"Whoever has ca-key.pem can be anybody: keep the directory where operators alone can read it, and give each process ca.pem and its own two files. " +
			"Made again under the same name, a certificate is renewed; processes read it again by themselves.",
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return program.Usagef("name the role: server, nodehost, application, operator or reader")
		},
	}
	for _, r := range role.Roles {
		cmd.AddCommand(t.certificateOf(r))
	}
	return cmd
}

// certificateShort says what each role is for.
var certificateShort = map[role.Role]string{
	role.Server:      "A Drummer server",
	role.NodeHost:    "One NodeHost: it speaks only for its RaftAddress",
	role.Application: "A client of some Raft clusters: it finds clusters, and reads and writes those that are named",
	role.Operator:    "Whoever may do everything on Drummer",
	role.Reader:      "Whoever may look at everything on Drummer",
}

var certificateName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

func (t *tool) certificateOf(r role.Role) *cobra.Command {
	var hosts []string
	var raftAddress, nodehostID, clusters string
	var life time.Duration
	cmd := &cobra.Command{
		Use:   string(r) + " DIRECTORY NAME",
		Short: certificateShort[r],
		Args:  cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			id := role.Identity{Name: args[1], Role: r, RaftAddress: raftAddress, NodeHostID: nodehostID}
			if !certificateName.MatchString(id.Name) || id.Name == caName || strings.HasSuffix(id.Name, "-key") {
				return program.Usagef("%q can't be the name of a certificate: up to 64 letters, digits, dots, dashes and underscores, not %q, and no '-key' at the end", id.Name, caName)
			}
			if life <= 0 {
				return program.Usagef("--valid-for is %v, it must be above 0", life)
			}
			var err error
			if clusters != "" {
				if id.Clusters, err = role.ParseClusters(clusters); err != nil {
					return program.Usage(err)
				}
			}
			if err := id.Check(); err != nil {
				return program.Usage(err)
			}
			if r == role.NodeHost {
				host, _, err := net.SplitHostPort(raftAddress)
				if err != nil {
					return program.Usagef("--raft-address is %q, it must be HOST:PORT, as in the NodeHost's file", raftAddress)
				}
				if !slices.Contains(hosts, host) {
					hosts = append(hosts, host)
				}
			}
			return t.makeCertificate(args[0], id, hosts, life)
		},
	}
	flags := cmd.Flags()
	flags.DurationVar(&life, "valid-for", certificateLife, "how long the certificate is valid")
	switch r {
	case role.Server, role.NodeHost:
		flags.StringSliceVar(&hosts, "hosts", []string{"127.0.0.1", "localhost"}, "names and IP addresses that it is reached at")
	case role.Application:
		flags.StringVar(&clusters, "clusters", "", "clusters that it may use, as 7, 1-6 or 1-6,9, or all")
	}
	if r == role.NodeHost {
		flags.StringVar(&raftAddress, "raft-address", "", "the NodeHost's raft_address")
		flags.StringVar(&nodehostID, "nodehost-id", "", "its NodeHost ID, if the certificate is to end with that disk")
	}
	return cmd
}

func (t *tool) makeCertificate(dir string, id role.Identity, hosts []string, life time.Duration) error {
	ca, made, err := openAuthority(dir, time.Now())
	if err != nil {
		return fmt.Errorf("the CA in %s can't be used: %w", dir, err)
	}
	if made {
		if err := t.say("made a CA, %s; keep its key, %s, where operators alone can read it", filepath.Join(dir, caName+".pem"), filepath.Join(dir, caName+"-key.pem")); err != nil {
			return err
		}
	}
	until, err := ca.issue(dir, id, hosts, life)
	if err != nil {
		return fmt.Errorf("the certificate can't be made: %w", err)
	}
	return t.say("made %s, %s, valid until %s", filepath.Join(dir, id.Name+".pem"), id.URI(), until.UTC().Format(time.RFC3339))
}
