// SPDX-License-Identifier: Apache-2.0

// Package workload is the clients of a run: they write and read the bundled
// key-value state machines, and record every operation in a history before
// and after.
//
// What is asked when is drawn from the seed alone, whatever the deployment
// does meanwhile (package-internal type schedule). Clients carry it out: each
// has at most one operation open, goes to a member of the cluster drawn at
// random, and goes on after an unknown outcome under a new client id. Nothing
// is judged here.
package workload
