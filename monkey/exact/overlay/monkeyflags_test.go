// SPDX-License-Identifier: Apache-2.0

//go:build monkey

package overlay

import _ "github.com/drumbeat-raft/drumbeat/scenarios/testflags"
