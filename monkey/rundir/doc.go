// SPDX-License-Identifier: Apache-2.0

// Package rundir is the layout of a run's directory and the one way to write
// and read the small files in it. Histories are
// checker/history's; verdicts and pages are made from these files by
// monkey/judge and monkey/report.
package rundir
