// SPDX-License-Identifier: Apache-2.0

// Package client is for applications and tools: it asks Drummer where clusters
// are and what becomes of them, and reaches clusters through NodeHosts' APIs.
//
// [New] makes a [Client], [Client.Locate] tells where clusters are, and [Client.Propose]
// and [Client.Read] ask a cluster wherever it is. The example of package drummer has one
// at work.
//
// Calls to Drummer try each server until one answers. Calls to a NodeHost are
// made once: whether a proposal may be repeated is for the caller to know, and
// [OutcomeOf] returns what can be known.
package client
