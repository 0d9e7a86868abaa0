// SPDX-License-Identifier: Apache-2.0

// Package rpc is how the parts of Drummer open gRPC connections: limits,
// mutual TLS, and a dialer and listener that come from the configuration.
//
// It knows nothing of the services that run over them.
package rpc
