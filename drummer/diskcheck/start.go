// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"
	"github.com/lni/goutils/vfs"
)

// flagFiles are Dragonboat's own in a NodeHost's directory.
var flagFiles = []string{"NODEHOST.ID", "dragonboat.ds"}

// Decorated is an Expert.LogDBFactory for Start alone: the NodeHost gets the LogDB that
// it would have with LogDBFactory (nil: Dragonboat's own), as Decorate returns it.
type Decorated struct {
	config.LogDBFactory
	Decorate func(raftio.ILogDB) raftio.ILogDB
}

// Start starts a NodeHost on a disk that it has looked through before. The error is
// ErrDamaged when that is not what was written to it; of single replicas Replica
// says so later. A panic of Dragonboat's becomes an error. If the configuration has an
// Expert.LogDBFactory, the watermarks are those of its LogDB, whose files nobody looks
// through; with the older LogDBFactory, the Checker that is returned knows nothing.
func Start(conf config.NodeHostConfig, log *slog.Logger) (nodehost *dragonboat.NodeHost, checker *Checker, err error) {
	checker = New(log)
	if conf.Expert.FS == nil {
		conf.Expert.FS = vfs.Default
	}
	for _, name := range flagFiles {
		if err := checkFlagFile(conf.Expert.FS, conf.Expert.FS.PathJoin(conf.NodeHostDir, name)); err != nil {
			return nil, nil, err
		}
	}
	if conf.LogDBFactory == nil {
		checker.factory = conf.Expert.LogDBFactory
		if d, ok := checker.factory.(*Decorated); ok {
			checker.factory, checker.decorate = d.LogDBFactory, d.Decorate
		}
		conf.Expert.LogDBFactory = checker
	}
	defer func() {
		if problem := recover(); problem != nil {
			nodehost, checker, err = nil, nil, fmt.Errorf("the NodeHost panicked: %v", problem)
		}
	}()
	nodehost, err = dragonboat.NewNodeHost(conf)
	switch {
	case err != nil:
		return nil, nil, err
	case nodehost == nil: // Dragonboat recovers from panics that are no errors, and says nothing
		return nil, nil, errors.New("the NodeHost panicked and hid why; see its log, and its directories")
	}
	return nodehost, checker, nil
}
