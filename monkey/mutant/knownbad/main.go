// SPDX-License-Identifier: Apache-2.0

// Command knownbad runs the mutants of package mutant through the scenarios that come
// along, and makes docs/known-bad.md of what was found. Results are kept: run it
// again and it goes on where it was, as long as the program is the same.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/drumbeat-raft/drumbeat/monkey/mutant"
)

type options struct {
	seeds, first int
	jobs         int
	only         *regexp.Regexp
	dir, page    string
	pageOnly     bool
}

func main() {
	var o options
	flag.IntVar(&o.seeds, "seeds", 10, "seeds of each mutant")
	flag.IntVar(&o.first, "first", 1, "the first seed")
	flag.IntVar(&o.jobs, "jobs", runtime.NumCPU(), "runs side by side")
	only := flag.String("only", "", "a regular expression for the names of the mutants")
	flag.StringVar(&o.dir, "dir", "bin/known-bad", "folder for the program and the results")
	flag.StringVar(&o.page, "page", "", "file for the table, such as docs/known-bad.md; empty: standard output")
	flag.BoolVar(&o.pageOnly, "page-only", false, "try nothing: write the table of the last program that was tried")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if o.only, err = regexp.Compile(*only); err == nil {
		err = o.run(ctx)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "knownbad:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context) error {
	path := filepath.Join(o.dir, "results.jsonl")
	if o.pageOnly {
		results, err := open(path, "")
		if err != nil {
			return err
		}
		defer results.close()
		return o.write(results)
	}
	program, err := o.build(ctx)
	if err != nil {
		return err
	}
	results, err := open(path, sum(program))
	if err != nil {
		return err
	}
	defer results.close()
	if err := o.tryAll(ctx, program, results); err != nil {
		return err
	}
	return o.write(results)
}

// build builds the program with all mutants in it.
func (o *options) build(ctx context.Context) (string, error) {
	dir := filepath.Join(o.dir, "build")
	if err := errors.Join(os.RemoveAll(dir), os.MkdirAll(dir, 0o755)); err != nil {
		return "", err
	}
	root, err := filepath.Abs(".")
	if err != nil {
		return "", err
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return "", err
	}
	fmt.Fprintln(os.Stderr, "building the monkey with all mutants: about a minute")
	return mutant.Build(ctx, root, dir, "./cmd/monkey")
}

// none is the control: the same program with no mutant on.
var none = mutant.Mutant{Name: "none", Place: "none", Breaks: "nothing: the control", Bites: "never"}

// tryAll tries all mutants, each seed of all of them before the next one, and of a
// seed one scenario with all that were not found before: the first hour shows what is
// found easily.
func (o *options) tryAll(ctx context.Context, program string, results *results) error {
	for seed := o.first; seed < o.first+o.seeds; seed++ {
		for round := range max(len(general), len(drummers)) {
			if err := o.tryRound(ctx, program, results, seed, round); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *options) tryRound(ctx context.Context, program string, results *results, seed, round int) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(o.jobs)
	for _, m := range append(mutant.All(), none) {
		scenarios := scenariosFor(m)
		if !o.only.MatchString(m.Name) || round >= len(scenarios) || results.done(m.Name, seed, scenarios[round]) {
			continue
		}
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			r, err := try(ctx, program, o.dir, m, scenarios[round], seed)
			if err != nil {
				return fmt.Errorf("mutant %s, scenario %s, seed %d: %w", m.Name, scenarios[round], seed, err)
			}
			fmt.Fprintln(os.Stderr, r)
			return results.add(r)
		})
	}
	return group.Wait()
}

func (o *options) write(results *results) error {
	var to io.Writer = os.Stdout
	if o.page != "" {
		f, err := os.Create(o.page)
		if err != nil {
			return err
		}
		defer f.Close()
		to = f
	}
	return writePage(to, results)
}
