// SPDX-License-Identifier: Apache-2.0

// Package processes is what the tests of the programs as processes are built from: a
// deployment of Drummer servers and NodeHosts on loopback, each a process of its own
// with a directory of its own, which can be killed, looked into and started again. The
// tests that use it are beside it: abuse, and damaged disks.
//
// Only tests import it.
package processes
