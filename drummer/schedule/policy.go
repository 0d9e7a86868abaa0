// SPDX-License-Identifier: Apache-2.0

package schedule

import "github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/policy"

// Policy is how eager and how careful Drummer is. Times are in ticks of
// DrummerDB's logical clock, by default one second each.
type Policy = policy.Policy

// DefaultPolicy suits ticks of one second.
func DefaultPolicy() Policy { return policy.Default() }
