// SPDX-License-Identifier: Apache-2.0

//go:build modules

package drummerpb

// The build tag is never set. This import keeps a requirement in go.mod: an
// old dependency of Dragonboat asks for google.golang.org/genproto of 2019,
// which holds packages that have since moved to a module of their own. Without
// a newer one `go mod tidy` fails in every module that requires this one, with
// "ambiguous import: found package google.golang.org/genproto/googleapis/rpc/status".
import _ "google.golang.org/genproto/googleapis/type/interval"
