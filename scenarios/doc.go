// SPDX-License-Identifier: Apache-2.0

// Package scenarios holds Drumbeat's scenarios, and the one description of
// what a scenario file may say.
//
// A scenario speaks of hosts, clusters, clients, faults and checks, and never
// of the world it runs in. The Go struct Scenario is the only description:
// its tags carry each field's key, documentation, default and limits, and the
// strict parser, --set, the JSON Schema, the written-out scenario.yaml and the
// reference in docs/scenarios.md are all derived from it. What faults exist,
// and which parameters each of them takes, is one table, Kinds.
//
// The package draws nothing from a seed and injects nothing: plans and faults
// belong to monkey and monkey/fault.
package scenarios
