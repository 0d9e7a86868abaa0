// SPDX-License-Identifier: Apache-2.0

// Command bench measures Drummer on fleets of three sizes and prints the table of
// docs/drummer-performance.md: what was aimed at, what was measured at the largest
// size, and how each figure grows with the fleet.
//
// Each size is measured in a process of its own, and each Drummer server of the live
// part is a child of that, so that neither what agents cost nor what the other servers
// do is counted for the leader.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// sizes are the numbers of nodes; a thousand on a host.
var sizes = []int{10_000, 100_000, 1_000_000}

const nodesPerHost = 1000

func main() {
	nodes := flag.Int("nodes", 0, "measure one fleet of so many nodes and print its figures as JSON; 0: all sizes, as a table")
	parts := flag.String("parts", "state,live", "what is measured: state, live or both")
	profiles := flag.String("profiles", "", "directory for CPU profiles of each figure")
	runs := flag.Int("runs", 1, "how often each size is measured; the table has the median")
	id := flag.Int("serve", 0, "run the Drummer server with this NodeID; what the live part starts")
	members := flag.String("members", "", "the addresses of all Drummer servers: RAFT/GRPC,...")
	dir := flag.String("dir", "", "where the Drummer server keeps its data")
	flag.Parse()
	err := func() error {
		switch {
		case *id != 0:
			return serve(*id, strings.Split(*members, ","), *dir)
		case *nodes != 0:
			return measure(*nodes, *parts, *profiles)
		default:
			return table(*parts, *profiles, *runs)
		}
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(70)
	}
}

// measure prints the figures of one size.
func measure(nodes int, parts, profiles string) error {
	if profiles != "" {
		profiles = filepath.Join(profiles, fmt.Sprint(nodes))
		if err := os.MkdirAll(profiles, 0o755); err != nil {
			return err
		}
	}
	figures := map[string]float64{}
	for part := range strings.SplitSeq(parts, ",") {
		var err error
		switch part {
		case "state":
			err = measureState(newFleet(nodes), figures, profiles)
		case "live":
			err = measureLive(newFleet(nodes), figures, profiles)
		default:
			err = fmt.Errorf("there is no part %q, only state and live", part)
		}
		if err != nil {
			return err
		}
	}
	return json.NewEncoder(os.Stdout).Encode(figures)
}

// table measures all sizes, one after the other.
func table(parts, profiles string, runs int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	samples := map[int][]map[string]float64{}
	for _, nodes := range sizes {
		for range runs {
			cmd := exec.Command(self, "-nodes", fmt.Sprint(nodes), "-parts", parts, "-profiles", profiles)
			cmd.Stderr = os.Stderr
			out, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("%d nodes could not be measured: %w", nodes, err)
			}
			figures := map[string]float64{}
			if err := json.Unmarshal(out, &figures); err != nil {
				return err
			}
			samples[nodes] = append(samples[nodes], figures)
		}
	}
	printTable(os.Stdout, samples)
	return nil
}
