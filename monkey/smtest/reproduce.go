// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/monkey/internal/testline"
)

// reproduce is how a failure is made to happen again.
func (k *kit) reproduce(seed uint64) string {
	return fmt.Sprintf("Reproduce\n  go test -run '%s' %s -smtest.seed=%d\n", testline.Pattern(k.t.Name()), testline.Package(), seed)
}
