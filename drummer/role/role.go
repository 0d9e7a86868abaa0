// SPDX-License-Identifier: Apache-2.0

package role

import "slices"

// Role is what the bearer of a certificate is.
type Role string

// The roles. None is that of a certificate without one.
const (
	None        Role = "none"
	Server      Role = "server"      // a Drummer server
	NodeHost    Role = "nodehost"    // one NodeHost, at one RaftAddress
	Application Role = "application" // a client of some Raft clusters
	Operator    Role = "operator"    // may do everything on Drummer
	Reader      Role = "reader"      // may look at everything on Drummer
)

// Roles are those that a certificate can bear.
var Roles = []Role{Server, NodeHost, Application, Operator, Reader}

// known reports whether a certificate can bear the role.
func (r Role) known() bool { return slices.Contains(Roles, r) }

// Serves reports whether the role answers calls, and doesn't only make them.
func (r Role) Serves() bool { return r == Server || r == NodeHost }
