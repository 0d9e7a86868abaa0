// SPDX-License-Identifier: Apache-2.0

// Package fault does to a world what a scenario asks for: the behaviour of
// each kind of fault (processes.go, network.go), the plan that is drawn from
// a run's seed before the run begins (plan.go) and the injector that carries
// it out and measures what each injection really did (injector.go).
//
// Which kinds there are, what they need and which parameters they take is the
// table scenarios.Kinds. This package knows nothing of files, of clients or of
// judgement.
package fault
