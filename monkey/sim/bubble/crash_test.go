// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseCrash(t *testing.T) {
	for name, tc := range map[string]struct {
		log  string
		want *Crash
	}{
		"no crash": {"panic: a log line\nwent on\ngoroutines: 12\n", nil},
		"panic": {
			"started\npanic: boom\n\ngoroutine 7 [running]:\nmain.f()\n\t/x.go:1\nexit status 2\n",
			&Crash{Message: "boom", Stack: "goroutine 7 [running]:\nmain.f()\n\t/x.go:1\nexit status 2"},
		},
		"nested panic of many lines": {
			"panic: one\n\tpanic: two\nmore\n[signal SIGSEGV: segmentation violation]\n\ngoroutine 1 [running]:\n",
			&Crash{Message: "one\n\tpanic: two\nmore\n[signal SIGSEGV: segmentation violation]", Stack: "goroutine 1 [running]:"},
		},
		"of several the last": {
			"panic: logged\n\ngoroutine 1 [x]:\nfatal error: all goroutines are asleep\n\ngoroutine 2 [y]:\nz\n",
			&Crash{Message: "all goroutines are asleep", Stack: "goroutine 2 [y]:\nz"},
		},
		"asked to quit": {
			"SIGQUIT: quit\nPC=0x1 m=0 sigcode=0\n\ngoroutine 0 gp=0x1 [idle]:\nf()\n",
			&Crash{Message: "SIGQUIT: quit\nPC=0x1 m=0 sigcode=0", Stack: "goroutine 0 gp=0x1 [idle]:\nf()"},
		},
		"synctest": {
			"panic: deadlock: main bubble goroutine has exited but blocked goroutines remain [recovered, repanicked]\n\ngoroutine 4 [running]:",
			&Crash{Message: "deadlock: main bubble goroutine has exited but blocked goroutines remain", Stack: "goroutine 4 [running]:"},
		},
		"goroutine with labels": {
			"panic: boom\n\ngoroutine 7 [running, synctest bubble 1 labels:{\"host\": \"nodehost-2\", \"a\": \"b c\"}]:\nmain.f()\n",
			&Crash{Message: "boom", Labels: map[string]string{"host": "nodehost-2", "a": "b c"},
				Stack: "goroutine 7 [running, synctest bubble 1 labels:{\"host\": \"nodehost-2\", \"a\": \"b c\"}]:\nmain.f()"},
		},
		"message that holds a stack": {"panic: x\n" + strings.Repeat("line\n", 100) + "goroutine 1 [running]:\n",
			&Crash{Message: "x\n" + strings.TrimSpace(strings.Repeat("line\n", 49)), Stack: "goroutine 1 [running]:"}},
		"message without end": {"panic: x\n" + strings.Repeat("line\n", maxOpeningLines+1) + "goroutine 1 [running]:\n", nil},
	} {
		got, err := parseCrash(strings.NewReader(tc.log))
		require.NoError(t, err)
		require.Equal(t, tc.want, got, name)
	}
}

func FuzzParseCrash(f *testing.F) {
	f.Add("panic: boom\n\ngoroutine 7 [running]:\nmain.f()\n")
	f.Add("fatal error: x\nSIGQUIT: quit\ngoroutine 1 [\n")
	f.Fuzz(func(t *testing.T, log string) {
		c, err := parseCrash(strings.NewReader(log))
		if err != nil {
			t.Fatal(err)
		}
		if c != nil && (!strings.HasPrefix(c.Stack, "goroutine ") || len(c.Stack) > maxStack) {
			t.Fatalf("stack %q", c.Stack)
		}
	})
}
