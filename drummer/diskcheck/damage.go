// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"fmt"
	"strings"

	"github.com/drumbeat-raft/drumbeat/drummer/internal/durable"
)

// ErrDamaged is in every error that says that a disk has lost, or changed, what was
// once written to it.
var ErrDamaged = durable.ErrDamaged

// damage is one place at which a file is not what was written. An offset below 0
// stands for the whole file.
type damage struct {
	path   string
	offset int64
	what   string
}

func damaged(path string, offset int64, format string, args ...any) error {
	what := strings.ReplaceAll(fmt.Sprintf(format, args...), "\n", "; ") // it is a line of a log
	return &damage{path, offset, what}
}

// Error says which file it is, where, and what is wrong.
func (d *damage) Error() string {
	if d.offset < 0 {
		return fmt.Sprintf("%v: %s: %s", ErrDamaged, d.path, d.what)
	}
	return fmt.Sprintf("%v: %s, byte %d: %s", ErrDamaged, d.path, d.offset, d.what)
}

// Unwrap makes errors.Is find ErrDamaged.
func (d *damage) Unwrap() error { return ErrDamaged }
