// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/lni/dragonboat/v3/config"
)

// deploymentFile is kept in the NodeHost's directory, so it is lost together
// with the Raft logs and never outlives them.
const deploymentFile = "drummer-deployment"

// deployment remembers across restarts which deployment this NodeHost belongs
// to, so that a Drummer of another one can't take it over.
type deployment struct {
	fs  config.IFS
	dir string
	id  atomic.Uint64
}

func loadDeployment(nodehost config.NodeHostConfig) (*deployment, error) {
	d := &deployment{fs: nodehost.Expert.FS, dir: nodehost.NodeHostDir}
	file, err := d.fs.Open(d.path())
	if os.IsNotExist(err) {
		return d, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the remembered deployment id can't be opened: %w", err)
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, 64))
	if err != nil {
		return nil, fmt.Errorf("the remembered deployment id in %s can't be read: %w", d.path(), err)
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the remembered deployment id in %s is %q, not a number; remove the file if this NodeHost may join any deployment", d.path(), text)
	}
	d.id.Store(id)
	return d, nil
}

func (d *deployment) path() string { return d.fs.PathJoin(d.dir, deploymentFile) }

// get returns the remembered id, 0 before the first Welcome.
func (d *deployment) get() uint64 { return d.id.Load() }

// set remembers id. The file is replaced as a whole: a crash leaves the old
// state or the new one.
func (d *deployment) set(id uint64) error {
	temporary := d.path() + ".new"
	if err := d.write(temporary, id); err != nil {
		return fmt.Errorf("deployment id %d can't be remembered: %w", id, err)
	}
	if err := d.fs.Rename(temporary, d.path()); err != nil {
		return fmt.Errorf("deployment id %d can't be remembered: %w", id, err)
	}
	if dir, err := d.fs.OpenDir(d.dir); err == nil {
		// A rename that is lost with the power is found again at the next
		// Welcome, so a directory that can't be synced is no failure.
		_ = dir.Sync()
		_ = dir.Close()
	}
	d.id.Store(id)
	return nil
}

func (d *deployment) write(path string, id uint64) error {
	file, err := d.fs.Create(path)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, id)
	if err == nil {
		err = file.Sync()
	}
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
