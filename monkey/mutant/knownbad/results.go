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

// results are those of one program, in a file of one line each. It may have those of
// other programs, too.
type results struct {
	mu   sync.Mutex
	file *os.File
	all  []*result
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
	r.all = slices.DeleteFunc(all, func(x *result) bool { return x.Program != program })
	return r, nil
}

// done reports whether there is nothing to try: a mutant was found with the seed
// before, or was tried in the scenario.
func (r *results) done(mutant string, seed int, scenario string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.ContainsFunc(r.all, func(x *result) bool {
		return x.Mutant == mutant && x.Seed == seed && (x.Found || x.Scenario == scenario)
	})
}

func (r *results) add(x *result) error {
	line, err := json.Marshal(x)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
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
