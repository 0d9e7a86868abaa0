// SPDX-License-Identifier: Apache-2.0

// Package workload is the clients of a run: they write and read the bundled
// key-value state machines, and record every operation that they begin in a
// history.
//
// What is asked when is drawn from the seed alone, whatever the deployment
// does meanwhile (package-internal type schedule). Clients carry it out: each
// has at most one operation open, goes to a member of the cluster drawn at
// random, and goes on after an unknown outcome under a new client id. An
// operation for which no client is idle is not begun; it is missed, and
// counted. Nothing is judged here.
//
// # What is recorded before it is sent
//
// Every operation, a read as well as a write, is handed to Recorder.Invoke, and
// its proposal or query is sent only after Invoke has returned without an error;
// Recorder.Return gets its end, also when nothing could be sent. What is on disk
// at that moment is the Recorder's matter: history.Recorder has written down a
// write when Invoke returns, and keeps a read in memory until its end, because
// the loss of a read can not make a verdict wrong.
//
// Two requests of a client are no operations of the history, and are sent
// before Invoke: asking Drummer where the cluster is, and registering a client
// session, which is a proposal but changes no key. The Call of a write with a
// fresh session is therefore after the registration; one whose registration
// failed is recorded as a failure that was never sent.
package workload
