// SPDX-License-Identifier: Apache-2.0

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// parseSize reads a number of bytes: 512MiB, 2GiB, 1G, 1000000.
func parseSize(s string) (int64, error) {
	digits := strings.TrimRight(s, "kKMGTiBb")
	unit := s[len(digits):]
	factor := map[string]float64{
		"": 1, "B": 1, "b": 1,
		"k": 1 << 10, "K": 1 << 10, "KiB": 1 << 10, "M": 1 << 20, "MiB": 1 << 20, "G": 1 << 30, "GiB": 1 << 30, "T": 1 << 40, "TiB": 1 << 40,
		"kB": 1e3, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
	}[unit]
	n, err := strconv.ParseFloat(digits, 64)
	if err != nil || factor == 0 || n*factor < 1 || n*factor > math.MaxInt64/2 {
		return 0, fmt.Errorf("--memory %q is no size such as 512MiB or 2GiB", s)
	}
	return int64(n * factor), nil
}
