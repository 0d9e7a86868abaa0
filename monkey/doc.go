// SPDX-License-Identifier: Apache-2.0

// Package monkey is the engine of a chaos run: it resolves a scenario, starts
// a world in a child process, launches Raft clusters through Drummer, lets
// clients work and faults strike, heals, collects facts, and has them judged.
//
// Reading order: run.go (the parent: one run from options to result), child.go
// (the process that holds the world), runner.go (the phases of a run),
// observe.go (the truth while it runs), collect.go (the facts after healing).
// What is judged is monkey/judge's, what people look at monkey/report's.
package monkey
