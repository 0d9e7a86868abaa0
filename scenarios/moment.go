// SPDX-License-Identifier: Apache-2.0

package scenarios

// Moment names something that Dragonboat or Drummer does, at which a fault may
// strike.
type Moment = string

// The moments.
const (
	SnapshotSaving     Moment = "snapshot-saving"
	SnapshotSaved      Moment = "snapshot-saved"
	SnapshotSending    Moment = "snapshot-sending"
	SnapshotSent       Moment = "snapshot-sent"
	SnapshotReceived   Moment = "snapshot-received"
	SnapshotRecovered  Moment = "snapshot-recovered"
	TableWriting       Moment = "table-writing"
	LogCompacted       Moment = "log-compacted"
	MembershipChanging Moment = "membership-changing"
	MembershipChanged  Moment = "membership-changed"
	Elected            Moment = "elected"
	DrummerElected     Moment = "drummer-elected"
	RepairStep         Moment = "repair-step"
)

// MomentKind says what a moment is, for people.
type MomentKind struct{ Name, Doc string }

// MomentKinds lists the moments.
func MomentKinds() []MomentKind {
	return []MomentKind{
		{SnapshotSaving, "A NodeHost begins to write a file of a snapshot: one that it makes, or one that it receives."},
		{SnapshotSaved, "A NodeHost has made a snapshot of a cluster."},
		{SnapshotSending, "A NodeHost begins to send a snapshot to another one."},
		{SnapshotSent, "A NodeHost has sent a snapshot."},
		{SnapshotReceived, "A NodeHost has received a snapshot in full, and not used it yet."},
		{SnapshotRecovered, "A state machine has been recovered from a snapshot."},
		{TableWriting, "A host begins to write a table of its log storage: it flushes the log, or compacts tables."},
		{LogCompacted, "A NodeHost has dropped entries from a cluster's log."},
		{MembershipChanging, "A NodeHost begins to carry out a membership change that Drummer asks for."},
		{MembershipChanged, "A node has applied a membership change."},
		{Elected, "A node has become the leader of a cluster that Drummer looks after."},
		{DrummerElected, "A Drummer server has become the leader of DrummerDB."},
		{RepairStep, "A NodeHost has carried out a step of a repair, and Drummer has not heard of it yet."},
	}
}
