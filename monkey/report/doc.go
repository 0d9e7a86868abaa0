// SPDX-License-Identifier: Apache-2.0

// Package report is what people and their tools look at after a run: the table
// on a terminal, junit.xml and report.html. It decides nothing: all of it is
// made from a judge.Result and the run's events.
package report
