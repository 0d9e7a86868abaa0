// SPDX-License-Identifier: Apache-2.0

package agent

import (
	"fmt"

	"github.com/lni/dragonboat/v3/config"
)

// idFile is Dragonboat's own file in a NodeHost's directory, there as long as the
// directory is.
const idFile = "NODEHOST.ID"

// leastFree is how much room a disk needs to be given new nodes, in bytes: what runs
// there needs some to go on, and Dragonboat ends the process of a NodeHost that
// can't write.
const leastFree = 256 << 20

// sickness says what is wrong with the disk of a NodeHost that runs, "" when nothing
// is. It costs two calls of the operating system.
func sickness(nodehost config.NodeHostConfig) string {
	fs, dir := nodehost.Expert.FS, nodehost.NodeHostDir
	if _, err := fs.Stat(fs.PathJoin(dir, idFile)); err != nil {
		return fmt.Sprintf("its directory is gone or can't be read: %v", err)
	}
	if free, err := fs.GetFreeSpace(dir); err == nil && free < leastFree {
		return fmt.Sprintf("less than %d MiB are free on its disk", leastFree>>20)
	}
	return ""
}
