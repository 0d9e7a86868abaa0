// SPDX-License-Identifier: Apache-2.0

// Package writers judges keys whose operations name the writes that they saw
// (Writer and ObservedWriter of history.Op): by the zones, with the numbers of
// writes in the place of values. A write happens once, even where its value
// repeats, is deleted or appended to.
//
// Where an operation does not name what it saw, the values say which writes it
// can have been, and a search with constraint propagation tries them: a write
// is replaced once, and the zones of what is known so far refute most choices.
// Every order that is found is verified with the values.
//
// The package judges no key without names; that is for package search, as is
// what stays undecided here.
package writers
