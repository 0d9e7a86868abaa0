// SPDX-License-Identifier: Apache-2.0

// Package releases builds the monkey with older releases of Dragonboat, to see
// whether it finds what was mended since. docs/findings.md has the table.
//
// It is for tests: nothing that is shipped depends on another release than that
// of go.mod.
package releases
