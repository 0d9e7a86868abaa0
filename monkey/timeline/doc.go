// SPDX-License-Identifier: Apache-2.0

// Package timeline is the one record of what happened in a run: which faults
// were injected and what they did, who led, what Drummer decided, what was
// repaired. The process that holds the world appends facts to events.jsonl, one
// a line; whoever judges, measures or draws reads them back as a Timeline, in
// which begins and ends are paired, once.
//
// What clients did is in the history (checker/history), what was found after
// healing in facts.json (monkey/rundir). Nothing is judged here.
package timeline
