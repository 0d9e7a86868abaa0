// SPDX-License-Identifier: Apache-2.0

package service

import "context"

// get reads a value linearizably.
func (h *handler) get(ctx context.Context, cluster uint64, key string) (string, error) {
	value, err := h.nodehost.SyncRead(ctx, cluster, key)
	if err != nil {
		return "", err
	}
	return value.(string), nil
}
