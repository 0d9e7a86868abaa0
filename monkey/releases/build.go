// SPDX-License-Identifier: Apache-2.0

package releases

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/drumbeat-raft/drumbeat/monkey/internal/source"
)

// dragonboat is the module that is replaced.
const dragonboat = "github.com/lni/dragonboat/v3"

// Release is an older release of Dragonboat.
type Release struct {
	Version string
	edits   []source.Edit
}

var (
	// ErrAborted is newer; nothing returns it in older releases.
	errAborted = source.Edit{
		File: "request.go",
		Old:  "	ErrRejected = errors.New(\"request rejected\")\n",
		New:  "	ErrRejected = errors.New(\"request rejected\")\n	ErrAborted = errors.New(\"request aborted\")\n",
	}
	// ILogDB.Close has a result since v3.3.7, that of the monkey's LogDB in memory
	// too.
	closeOfILogDB = source.Edit{File: "raftio/logdb.go", Old: "	Close()\n", New: "	Close() error\n"}
	closeOfLogDB  = source.Edit{
		File: "internal/logdb/sharded.go",
		Old:  "func (s *ShardedDB) Close() {\n	s.stopper.Stop()\n",
		New:  "func (s *ShardedDB) Close() error {\n	s.close()\n	return nil\n}\n\nfunc (s *ShardedDB) close() {\n	s.stopper.Stop()\n",
	}
)

// All are the releases that were tried, oldest first.
var All = []Release{
	{"v3.3.0", []source.Edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.1", []source.Edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.2", []source.Edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.4", []source.Edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.5", []source.Edit{errAborted, closeOfILogDB, closeOfLogDB}},
	{"v3.3.6", []source.Edit{closeOfILogDB, closeOfLogDB}},
	{"v3.3.7", nil},
}

// Build builds a program of the module whose go.mod is in root, with this release
// in place of the required one, and returns the binary's path. All that it makes
// is in dir, which is empty. The go command on the PATH may have to download the
// release.
func (r Release) Build(ctx context.Context, root, dir, program string) (binary string, err error) {
	copied := filepath.Join(dir, "dragonboat")
	if err := source.CopyModule(ctx, root, dragonboat, r.Version, copied, r.edits); err != nil {
		return "", fmt.Errorf("release %s of Dragonboat: %w", r.Version, err)
	}
	if binary, err = source.BuildWith(ctx, root, dir, program, dragonboat, copied); err != nil {
		return "", fmt.Errorf("with Dragonboat %s: %w", r.Version, err)
	}
	return binary, nil
}
