// SPDX-License-Identifier: Apache-2.0

// Package raftaddress knows one trap: Dragonboat v3 stores the addresses of a
// cluster's initial members in lower case and without outer spaces, but the
// same addresses in its log as they were given. At the second start of a node
// the two are compared, and a difference is a panic.
package raftaddress

import (
	"fmt"
	"strings"
)

// Check refuses an address that Dragonboat would store in two forms.
func Check(address string) error {
	if clean := strings.ToLower(strings.TrimSpace(address)); clean != address {
		return fmt.Errorf("RaftAddress %q must be written %q: Dragonboat keeps it in that form, and panics at a restart when it was given another", address, clean)
	}
	return nil
}
