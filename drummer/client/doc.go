// SPDX-License-Identifier: Apache-2.0

// Package client is for applications and tools: it asks Drummer where clusters
// are and what becomes of them, and reaches clusters through NodeHosts' APIs.
//
// Calls to Drummer try each server until one answers. Calls to a NodeHost are
// made once: whether a proposal may be repeated is for the caller to know, and
// OutcomeOf returns what can be known.
package client
