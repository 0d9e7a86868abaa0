// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"runtime/pprof"
	"slices"
	"strconv"
	"strings"
)

// stepWorker is Dragonboat's function that runs Raft's steps, in as many
// goroutines as a NodeHost has ExecShards, for as long as the NodeHost lives.
const stepWorker = "github.com/lni/dragonboat/v3.(*engine).stepWorkerMain"

// Examine implements world.World. It counts Dragonboat's step workers: one that
// is missing was ended by a panic that Dragonboat recovered from without a word, see
// forDragonboat. It also tells of stale membership changes that were not refused, and
// of messages that the network let pass and must not have.
func (w *World) Examine() []string {
	w.stopping.Wait()
	want := 0
	for _, h := range w.hosts {
		if h.running() != nil {
			want += int(w.engine(h).ExecShards)
		}
	}
	w.mu.Lock()
	wrong := slices.Concat(w.accepted, w.gone, w.net.Astray())
	w.mu.Unlock()
	if have := countGoroutines(stepWorker); have < want {
		wrong = append(wrong, fmt.Sprintf("%d of Dragonboat's %d step workers are gone: it panicked in them and hid it", want-have, want))
	}
	return wrong
}

var goroutineGroup = regexp.MustCompile(`^(\d+) @ `)

// countGoroutines counts the goroutines that have a function on their stack.
func countGoroutines(function string) int {
	var text bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&text, 1); err != nil {
		return 0
	}
	total, group := 0, 0
	sc := bufio.NewScanner(&text)
	sc.Buffer(nil, 1<<20)
	for sc.Scan() {
		if m := goroutineGroup.FindStringSubmatch(sc.Text()); m != nil {
			group, _ = strconv.Atoi(m[1])
		} else if strings.Contains(sc.Text(), function) {
			total += group
			group = 0
		}
	}
	return total
}
