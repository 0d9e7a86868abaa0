// SPDX-License-Identifier: Apache-2.0

// Package monkey is the chaos harness for Go programs.
package monkey
