// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/drummer/agent"
)

// The names of the bundled applications.
const (
	RegularName    = "kv"
	ConcurrentName = "kv-concurrent"
	OnDiskName     = "kv-ondisk"
)

// Registry returns the bundled applications for the agent of one NodeHost.
// On-disk state machines keep their files in dir on fs.
func Registry(fs vfs.FS, dir string, newCore NewCore, options ...DiskOption) map[string]agent.Application {
	return map[string]agent.Application{
		RegularName:    {Regular: Regular(newCore)},
		ConcurrentName: {Concurrent: Concurrent(newCore)},
		OnDiskName: {
			OnDisk: OnDisk(fs, dir, newCore, options...),
			RemoveData: func(clusterID, nodeID uint64) error {
				return removeOnDisk(fs, dir, clusterID, nodeID)
			},
		},
	}
}
