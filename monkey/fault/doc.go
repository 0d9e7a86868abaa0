// SPDX-License-Identifier: Apache-2.0

// Package fault does to a world what a scenario asks for. It holds the
// catalogue, one file a kind of fault (kill.go, partition.go, …), the plan that
// is drawn from a run's seed before the run begins (plan.go), and the injector
// that carries it out and measures what each injection really did
// (injector.go).
//
// A kind of fault registers itself with package scenarios, so that files may
// speak of it; docs/adding-a-fault.md is how to add one. This package knows
// nothing of files, of clients or of judgement.
package fault
