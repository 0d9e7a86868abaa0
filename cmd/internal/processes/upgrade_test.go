// SPDX-License-Identifier: Apache-2.0

package processes

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// NodeHosts are upgraded to version 2 of the bundled state machines one by one, as
// processes, and set back. What was acknowledged is there all the time, and snapshots
// of both versions are on their disks in between.
func TestProcessesAreUpgradedOneByOne(t *testing.T) {
	if testing.Short() {
		t.Skip("real processes, for half a minute")
	}
	d := newDeployment(t, 1, 3, "")
	d.untilAttached(3)
	applications := []string{"kv", "kv-concurrent", "kv-ondisk"}
	for i, application := range applications {
		d.launch(application, uint64(i+1))
	}
	written := 0
	write := func() {
		written++
		for i := range applications {
			for n := range 25 { // past a snapshot
				d.put(uint64(i+1), fmt.Sprint("key ", n), fmt.Sprint("value ", written))
			}
		}
	}
	write()
	d.until(20*time.Second, "there is a snapshot of version 1", func() bool { return keeps(t, d.hosts[0], 1) })
	require.False(t, keeps(t, d.hosts[0], 2))
	for _, version := range []int{2, 1} {
		for _, host := range d.hosts {
			d.restart(host, version)
			write()
			for i := range applications {
				require.Equal(t, fmt.Sprint("value ", written), d.get(uint64(i+1), "key 24"))
			}
			d.until(time.Minute, fmt.Sprintf("%s has made a snapshot of version %d", filepath.Base(host.dir), version), func() bool {
				if keeps(t, host, byte(version)) {
					return true
				}
				write() // it may have been sent a snapshot of another host in place of what was written
				return false
			})
		}
	}
}

// restart ends a NodeHost in good order and starts it with a version of the state
// machines; it returns when all clusters are whole.
func (d *deployment) restart(host *process, version int) {
	d.t.Helper()
	require.NoError(d.t, host.cmd.Process.Signal(os.Interrupt))
	<-host.ended
	config, err := os.ReadFile(host.config)
	require.NoError(d.t, err)
	line := []byte("statemachine_version: ")
	before, _, _ := bytes.Cut(config, line)
	require.NoError(d.t, os.WriteFile(host.config, fmt.Appendf(before, "%s%d\n", line, version), 0o600))
	host.start(d.t)
	d.until(time.Minute, "all clusters are whole", func() bool { return d.whole(1, 2, 3) })
}

// keeps reports whether the disk of a host has a snapshot of a version.
func keeps(t *testing.T, host *process, version byte) bool {
	t.Helper()
	found := false
	require.NoError(t, filepath.WalkDir(host.dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return nil // it was removed meanwhile
		}
		text, err := os.ReadFile(path)
		found = found || err == nil && bytes.Contains(text, append([]byte("drumkv"), version))
		return nil
	}))
	return found
}
