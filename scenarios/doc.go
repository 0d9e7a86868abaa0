// SPDX-License-Identifier: Apache-2.0

// Package scenarios holds Drumbeat's scenarios, and the one description of
// what a scenario file may say.
//
// A scenario speaks of hosts, clusters, clients, faults and checks, and never
// of the world it runs in. The Go struct Scenario is the only description:
// its tags carry each field's key, documentation, default and limits, and the
// strict parser, --set, the JSON Schema, the written-out scenario.yaml and the
// reference in docs/scenarios.md are all derived from it.
//
// Which faults, checks and measures there are, and what a file may say of each,
// is registered by the packages that own them (RegisterFault, RegisterCheck,
// RegisterMeasure), as image formats register with package image. Their
// parameters and settings are structs with the same tags, and everything above
// follows from these, too. A program reads the files that the packages linked
// into it allow.
//
// The package draws nothing from a seed and injects nothing: plans and faults
// belong to monkey and monkey/fault.
package scenarios
