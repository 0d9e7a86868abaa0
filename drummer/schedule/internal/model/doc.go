// SPDX-License-Identifier: Apache-2.0

// Package model is a model of a fleet, for the tests of package schedule: what the
// scheduler decides is carried out in it tick by tick, and every promise that was
// not kept is a line in Fleet.Violations. It has no NodeHost, no Raft and no
// network; what they do is reduced to what decisions depend on. It is not for
// measuring: nothing in it takes the time that it takes in a deployment.
package model
