// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"os"
	"slices"
	"sync"
)

// results are those of one program, in a file of one line each, and those that the last
// program before it has of mutants that it has not tried.
type results struct {
	mu      sync.Mutex
	file    *os.File
	program string
	all     []*result
}

// open opens the file, for a program; empty: for the last one that is in it.
func open(path, program string) (*results, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	r := &results{file: f}
	var all []*result
	for in := bufio.NewScanner(f); in.Scan(); {
		var x result
		if json.Unmarshal(in.Bytes(), &x) == nil { // a line may be torn
			all = append(all, &x)
		}
	}
	if program == "" && len(all) > 0 {
		program = all[len(all)-1].Program
	}
	r.program = program
	last := map[string]string{} // the newest program that tried a mutant
	for _, x := range all {
		if last[x.Mutant] != program {
			last[x.Mutant] = x.Program
		}
	}
	r.all = slices.DeleteFunc(all, func(x *result) bool { return x.Program != last[x.Mutant] })
	return r, nil
}

// earlier reports whether what is known of a mutant is of a program before.
func (r *results) earlier(mutant string) bool {
	return slices.ContainsFunc(r.all, func(x *result) bool { return x.Mutant == mutant && x.Program != r.program })
}

// done reports whether there is nothing to try: a mutant was found with the seed
// before, or was tried in the scenario.
func (r *results) done(mutant string, seed int, scenario string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.all, func(x *result) bool {
		return x.Program == r.program && x.Mutant == mutant && x.Seed == seed && (x.Found || x.Scenario == scenario)
	})
}

func (r *results) add(x *result) error {
	line, err := json.Marshal(x)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = slices.DeleteFunc(r.all, func(old *result) bool { return old.Mutant == x.Mutant && old.Program != x.Program })
	r.all = append(r.all, x)
	_, err = r.file.Write(append(line, '\n'))
	return err
}

// trial is all that was tried of a mutant with one seed.
type trial struct {
	runs          []*result
	found         *result // nil: it was not
	strikes       uint64
	virtual, wall float64 // of all runs
}

// of returns what was tried of a mutant, by seed.
func (r *results) of(mutant string) []*trial {
	bySeed := map[int]*trial{}
	for _, x := range r.all {
		if x.Mutant != mutant {
			continue
		}
		t := bySeed[x.Seed]
		if t == nil {
			t = &trial{}
			bySeed[x.Seed] = t
		}
		t.runs = append(t.runs, x)
		t.strikes, t.virtual, t.wall = t.strikes+x.Strikes, t.virtual+x.Virtual, t.wall+x.Wall
		if x.Found {
			t.found = x
		}
	}
	var out []*trial
	for _, seed := range slices.Sorted(maps.Keys(bySeed)) {
		out = append(out, bySeed[seed])
	}
	return out
}

func (r *results) close() { _ = r.file.Close() }

// sum tells programs apart.
func sum(program string) string {
	data, err := os.ReadFile(program)
	if err != nil {
		return ""
	}
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:8])
}
