// SPDX-License-Identifier: Apache-2.0

package index

// Sync implements sm.IOnDiskStateMachine.
func (x *Index) Sync() error { return nil } // Update has written everything
