// SPDX-License-Identifier: Apache-2.0

package diskcheck

import (
	"fmt"

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
	return &damage{path, offset, fmt.Sprintf(format, args...)}
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
