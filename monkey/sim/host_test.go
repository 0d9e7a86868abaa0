// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"os"
	"os/exec"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// endless is a process that does not stop.
type endless struct{ stops chan struct{} }

func (endless) detach() {}
func (e endless) stop() { <-e.stops }

func TestAProcessThatDoesNotStopIsACrash(t *testing.T) {
	const asked = "DRUMBEAT_TEST_ENDLESS"
	if os.Getenv(asked) != "" {
		synctest.Test(t, func(*testing.T) {
			h := &host{Host: world.Host{Name: "nodehost-3"}}
			h.stop(endless{make(chan struct{})})
		})
		return
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), asked+"=1")
	out, err := cmd.CombinedOutput()
	require.Error(t, err)
	require.Contains(t, string(out), "panic: the process of host nodehost-3 was told to stop, and has not after 10m0s")
}
