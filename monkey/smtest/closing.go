// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strconv"
	"strings"
	"time"
)

var closing = check{
	name:  "closing",
	kinds: allKinds,
	contract: "Close ends all goroutines and closes all files. A NodeHost starts and stops state machines all the time and lives on. " +
		"Of concurrent and on-disk state machines Lookup can still be called after Close: it may return an error, it must not panic, and it doesn't see another state.",
	advice: "Let Close end the goroutines that the state machine or an interrupted snapshot began, wait for them, and close all files. " +
		"Let Lookup look at a flag that Close sets.",
	run: func(t *trial) {
		patience := leakPatience
		if t.kit.shrinking {
			patience /= shrinkHurry
		}
		if leaked := leakedBy(patience, t.liveAndClose); leaked != "" {
			t.fail("A goroutine was still running %v after Close.\n%s", patience, leaked)
		}
	},
}

// liveAndClose takes a replica through everything that may begin something, and
// closes it.
func (t *trial) liveAndClose() {
	r := t.start("the replica")
	r.apply(len(t.log) / 2)
	saved := r.save()
	t.step("%s, and a snapshot", t.entries(0, len(t.log)/2))
	stop := make(chan struct{})
	w := &limitedWriter{w: &bytes.Buffer{}, left: t.plan.IntN(len(saved.data) + 1), atLimit: func() error { close(stop); return nil }}
	w.check()
	_, _ = r.saveTo(r.prepare(), w, stop) // another check judges the error
	t.step("one that is stopped after %d bytes, the rest of the log, and Close", w.left)
	r.apply(len(t.log))
	if r.disk != nil {
		t.step("Sync, Close, and a new start")
		r.sync()
		r.close()
		r.die(death{})
		r.mount()
		r.open()
	}
	before := r.state()
	r.close()
	if t.kit.machine.kind != regular {
		for _, a := range t.queries {
			t.step("Lookup after Close")
			r.lookup(a)
		}
		for i, query := range t.queries {
			if _, text := r.lookup(query); !strings.HasPrefix(text, "error: ") && text != before.answers[i].text {
				x, y := excerpts(before.answers[i].text, text)
				t.fail("Lookup answers the query %s differently after Close.\nbefore: %s\nafter: %s", render(query), x, y)
			}
		}
	}
	other := t.start("a replica that recovers")
	other.restore(saved, readSizes{})
	other.close()
	for _, r := range []*replica{r, other} {
		if r.disk == nil {
			break
		}
		if open := r.disk.openFiles(); len(open) > 0 {
			t.fail("Close left files open: %s", strings.Join(open, ", "))
		}
	}
}

// leakPatience is how long a goroutine may take to end after Close.
const leakPatience = time.Second

// shrinkHurry is how much sooner a leak is believed that was seen before, in a
// larger test case.
const shrinkHurry = 10

// leakLabel marks the goroutines that a state machine starts.
const leakLabel = "smtest-closing"

// leakedBy runs f and returns the stack of a goroutine that was started by it
// and doesn't end; empty: there is none. Goroutines inherit profiler labels, so
// those of tests that run in parallel are told apart.
func leakedBy(patience time.Duration, f func()) string {
	id := strconv.FormatInt(time.Now().UnixNano(), 36)
	pprof.Do(context.Background(), pprof.Labels(leakLabel, id), func(context.Context) { f() })
	var left string
	for wait := 50 * time.Microsecond; wait <= patience; wait *= 2 {
		if left = labelled(id); left == "" {
			return ""
		}
		time.Sleep(wait)
	}
	return left
}

// labelled returns the stack of a goroutine with the label.
func labelled(id string) string {
	var profile bytes.Buffer
	if err := pprof.Lookup("goroutine").WriteTo(&profile, 1); err != nil {
		return ""
	}
	label := fmt.Sprintf("%q:%q", leakLabel, id)
	for block := range strings.SplitSeq(profile.String(), "\n\n") {
		if strings.Contains(block, label) {
			return goroutineStack(block)
		}
	}
	return ""
}

// goroutineStack makes the stack in a block of the profile readable: lines such
// as "#	0x4a1b	main.work+0x1f	/src/main.go:12".
func goroutineStack(block string) string {
	var lines []string
	for line := range strings.Lines(block) {
		fields := strings.Fields(line)
		if len(fields) == 4 && fields[0] == "#" && len(lines) < maxFrames {
			function, _, _ := strings.Cut(fields[2], "+")
			lines = append(lines, fmt.Sprintf("  at %s (%s)", function, fields[3]))
		}
	}
	return strings.Join(lines, "\n")
}
