// SPDX-License-Identifier: Apache-2.0

package main

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"sync"
)

// results are those of one program, in a file of one line each. It may have those of
// other programs, too.
type results struct {
	mu   sync.Mutex
	file *os.File
	all  []*result
}

func open(path, program string) (*results, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	r := &results{file: f}
	of := sum(program)
	for in := bufio.NewScanner(f); in.Scan(); {
		var x result
		if json.Unmarshal(in.Bytes(), &x) == nil && x.Program == of { // a line may be torn
			r.all = append(r.all, &x)
		}
	}
	return r, nil
}

func (r *results) has(mutant string, seed int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.all {
		if x.Mutant == mutant && x.Seed == seed {
			return true
		}
	}
	return false
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

// of returns the results of a mutant.
func (r *results) of(mutant string) []*result {
	var out []*result
	for _, x := range r.all {
		if x.Mutant == mutant {
			out = append(out, x)
		}
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
