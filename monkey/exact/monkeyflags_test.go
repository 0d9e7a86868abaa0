// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package exact

import _ "github.com/drumbeat-raft/drumbeat/scenarios/testflags"
