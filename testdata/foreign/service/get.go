// SPDX-License-Identifier: Apache-2.0

package service

import "context"

// get reads a value.
func (h *handler) get(_ context.Context, cluster uint64, key string) (string, error) {
	value, err := h.nodehost.StaleRead(cluster, key)
	if err != nil {
		return "", err
	}
	return value.(string), nil
}
