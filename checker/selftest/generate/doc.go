// SPDX-License-Identifier: Apache-2.0

// Package generate makes histories from a seed: of clients that work on a
// correct key-value store, and with violations planted in them. It serves the
// tests, the benchmarks and the comparison of engines; it judges nothing.
package generate
