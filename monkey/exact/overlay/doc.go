// SPDX-License-Identifier: Apache-2.0

// Package overlay makes, from the files of the Go toolchain at hand, the file
// that `go build -overlay` takes to build a program whose simulation is exactly
// repeatable, and builds programs with it. What such a program can do is in
// package monkey/exact.
//
// The toolchain is not changed: the overlay has copies of a dozen files of the
// standard library, most of them of package runtime, with one small edit each,
// and adds one file. An edit names the text it replaces, which has to be there
// exactly once. On a version of Go where one does not fit there is no overlay,
// and the error says which edit of which file.
package overlay
