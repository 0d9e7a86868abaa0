// SPDX-License-Identifier: Apache-2.0

// Package testkit is what tests of Drummer's packages build deployments from:
// an in-memory network, NodeHosts on in-memory disks, and a tiny key-value state
// machine. All of it runs in a synctest bubble.
//
// Only tests import it. The monkey's simulated world is larger and elsewhere.
package testkit
