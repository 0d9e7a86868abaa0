// SPDX-License-Identifier: Apache-2.0

// Package keylog holds key-value histories in a compact form, laid out by key:
// 32 bytes an operation, and each value once for each key that it was seen on.
//
// A Builder takes in the operations of one part of a history as they come; the
// parts may be built at the same time. Join makes a Log of them, which does
// not change any more. Everything about a key then lies close together, so
// that judging it stays within the processor's cache, and keys can be judged
// at the same time.
//
// The package judges nothing; packages zones and search do.
package keylog
