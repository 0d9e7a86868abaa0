// SPDX-License-Identifier: Apache-2.0

//go:build !linux

package bench

import (
	"os"
	"time"
)

func cpuTime() time.Duration { return 0 } // not known

func maxRSS(*os.ProcessState) (int64, bool) { return 0, false }
