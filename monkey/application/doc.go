// SPDX-License-Identifier: Apache-2.0

// Package application wraps the state machines and queries of a user, so that
// they run on simulated hosts like the bundled ones, and so that what they do
// can be seen: each result is compared with that of the other replicas, and the
// machines themselves can be looked at in the end.
//
// Users meet it as package monkey.
package application
