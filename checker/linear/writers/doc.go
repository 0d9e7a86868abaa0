// SPDX-License-Identifier: Apache-2.0

// Package writers judges keys whose operations name the writes that they saw
// (Writer and ObservedWriter of history.Op): by the zones, with names in the
// place of values. A name is written once, even where the value repeats, is
// deleted or appended to. Every order that is found is verified with the
// values.
//
// Where names are missing or don't decide, it says so, and package search has
// to.
package writers
