// SPDX-License-Identifier: Apache-2.0

// Package bench measures what simulations cost: processor time, memory, and
// which part of the system took it. It runs scenarios, one after the other, and
// judges neither speed nor correctness: a figure is for comparison with another
// one that was measured on the same machine under the same load.
package bench
