// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/lni/dragonboat/v3/config"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

// deploymentFile is kept in the NodeHost's directory, so it is lost together
// with the Raft logs and never outlives them.
const deploymentFile = "drummer-deployment"

// maxDeploymentBytes bounds the file: two numbers in decimal.
const maxDeploymentBytes = 64

// identity names the Drummer servers that a NodeHost belongs to: the deployment,
// and which DrummerDB of it. A DrummerDB that was begun later, since the former
// was lost, has a higher epoch. Both are 0 before the first Welcome.
type identity struct{ id, epoch uint64 }

// deployment remembers across restarts whom this NodeHost belongs to, so that
// neither a Drummer of another deployment nor the old servers of its own, from
// which new ones have adopted it, can take it over.
type deployment struct {
	file durable.File

	mu    sync.Mutex
	own   identity
	heard time.Time // when a server of own last said something
}

func loadDeployment(nodehost config.NodeHostConfig) (*deployment, error) {
	d := &deployment{file: durable.In(nodehost, deploymentFile), heard: time.Now()}
	text, err := d.file.Read(maxDeploymentBytes)
	if err != nil {
		return nil, fmt.Errorf("the remembered deployment: %w", err)
	}
	if text == nil {
		return d, nil
	}
	if d.own, err = parseIdentity(string(text)); err != nil {
		return nil, fmt.Errorf("the remembered deployment in %s is %q, not an id and an epoch; remove the file if this NodeHost may join any deployment", d.file.Path(), text)
	}
	return d, nil
}

// parseIdentity reads an id and an epoch. The file had no epoch once: it is the
// lowest then.
func parseIdentity(text string) (own identity, err error) {
	id, epoch, has := strings.Cut(strings.TrimSpace(text), " ")
	if own.id, err = strconv.ParseUint(id, 10, 64); err == nil && has {
		own.epoch, err = strconv.ParseUint(epoch, 10, 64)
	}
	return own, err
}

// get returns whom this NodeHost belongs to.
func (d *deployment) get() identity {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.own
}

// set remembers it. One goroutine calls it at a time.
func (d *deployment) set(own identity) error {
	if err := d.file.Write(fmt.Appendln(nil, own.id, own.epoch)); err != nil {
		return fmt.Errorf("deployment %d, epoch %d can't be remembered: %w", own.id, own.epoch, err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.own = own
	return nil
}

// hear notes that a server of the deployment said something.
func (d *deployment) hear() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.heard = time.Now()
}

// silence is how long no server of the deployment has said anything, since the
// agent was started.
func (d *deployment) silence() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	return time.Since(d.heard)
}
