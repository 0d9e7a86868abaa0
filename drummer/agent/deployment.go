// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

// deploymentFile is kept in the NodeHost's directory, so it is lost together
// with the Raft logs and never outlives them.
const deploymentFile = "drummer-deployment"

// maxDeploymentBytes bounds the file: a number in decimal.
const maxDeploymentBytes = 64

// deployment remembers across restarts which deployment this NodeHost belongs
// to, so that a Drummer of another one can't take it over.
type deployment struct {
	file durable.File
	id   atomic.Uint64
}

func loadDeployment(nodehost config.NodeHostConfig) (*deployment, error) {
	d := &deployment{file: durable.In(nodehost, deploymentFile)}
	text, err := d.file.Read(maxDeploymentBytes)
	if err != nil {
		return nil, fmt.Errorf("the remembered deployment id: %w", err)
	}
	if text == nil {
		return d, nil
	}
	id, err := strconv.ParseUint(strings.TrimSpace(string(text)), 10, 64)
	if err != nil {
		return nil, fmt.Errorf("the remembered deployment id in %s is %q, not a number; remove the file if this NodeHost may join any deployment", d.file.Path(), text)
	}
	d.id.Store(id)
	return d, nil
}

// get returns the remembered id, 0 before the first Welcome.
func (d *deployment) get() uint64 { return d.id.Load() }

// set remembers id.
func (d *deployment) set(id uint64) error {
	if err := d.file.Write(fmt.Appendln(nil, id)); err != nil {
		return fmt.Errorf("deployment id %d can't be remembered: %w", id, err)
	}
	d.id.Store(id)
	return nil
}
