// SPDX-License-Identifier: Apache-2.0

// Package fleetsim is a fleet of any size that needs no Raft group: it makes the
// specifications, the reports and the streams of so many hosts, as their agents
// would. DrummerDB, the scheduler and the servers in front of it are the real ones.
// It is for measuring Drummer; package schedule/internal/model is for finding out
// whether Drummer is right.
package fleetsim
