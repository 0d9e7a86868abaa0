// SPDX-License-Identifier: Apache-2.0

// Package program is what Drumbeat's five programs have in common: exit codes and
// their order of gravity, usage errors, command lines, interrupts, waiting, and
// strict YAML files. It has nothing of what a program does, and knows neither
// Drummer nor Dragonboat.
package program
