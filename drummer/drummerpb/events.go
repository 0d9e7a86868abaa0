// SPDX-License-Identifier: Apache-2.0

package drummerpb

// The kinds of events: the values of Event.Kind. EventKinds lists all of them with
// a line of documentation each. An event about an operation says in Event.Request
// what was asked for, by the constants of RequestKind.
const (
	EventDeployment         = "deployment-set"
	EventLeader             = "leader-changed"
	EventLaunched           = "launched"
	EventPaused             = "paused"
	EventVersion            = "version-set"
	EventRestored           = "restored"
	EventServerAdded        = "server-added"
	EventServerRemoved      = "server-removed"
	EventHostJoined         = "host-joined"
	EventHostDead           = "host-dead"
	EventHostReturned       = "host-returned"
	EventHostGone           = "host-gone"
	EventHostContested      = "host-contested"
	EventHostForgotten      = "host-forgotten"
	EventHostMode           = "host-mode"
	EventHostSick           = "host-sick"
	EventHostDiskOld        = "host-disk-old"
	EventFuseBlown          = "fuse-blown"
	EventFuseWhole          = "fuse-whole"
	EventClusterDefined     = "cluster-defined"
	EventClusterUpdated     = "cluster-updated"
	EventClusterDeleted     = "cluster-deleted"
	EventClusterPlaced      = "cluster-placed"
	EventClusterAdopted     = "cluster-adopted"
	EventClusterForeign     = "cluster-foreign"
	EventClusterRecovered   = "cluster-recovered"
	EventMembership         = "membership-changed"
	EventOperationPlanned   = "operation-planned"
	EventOperationDropped   = "operation-dropped"
	EventOperationEnded     = "operation-ended"
	EventOperationExpired   = "operation-expired"
	EventOperationOvertaken = "operation-overtaken"
)

// EventKind documents a kind of event.
type EventKind struct {
	Name string
	Doc  string
}

// EventKinds are all kinds of events that DrummerDB logs.
var EventKinds = []EventKind{
	{EventDeployment, "the deployment was given its ID"},
	{EventLeader, "another Drummer server leads"},
	{EventLaunched, "the operation phase began: defined clusters are placed and started"},
	{EventPaused, "an operator paused Drummer, or let it go on"},
	{EventVersion, "a newer version of DrummerDB's commands is allowed"},
	{EventRestored, "a backup became the state of a new DrummerDB"},
	{EventServerAdded, "somebody adds a Drummer server: it joins as an observer, and votes once it has caught up"},
	{EventServerRemoved, "somebody takes a Drummer server out"},
	{EventHostJoined, "a NodeHost was heard of for the first time"},
	{EventHostDead, "a NodeHost was not heard of for its time to live"},
	{EventHostReturned, "a dead NodeHost was heard of again"},
	{EventHostGone, "another NodeHost reports under its RaftAddress: its disk is lost"},
	{EventHostContested, "two machines report under one RaftAddress"},
	{EventHostForgotten, "a dead or gone NodeHost was dropped"},
	{EventHostMode, "a NodeHost was cordoned, drained or activated"},
	{EventHostSick, "something is wrong with a NodeHost's disk, or no longer: it is given no new nodes meanwhile"},
	{EventHostDiskOld, "a NodeHost came back with an old copy of its disk: the nodes on it are lost"},
	{EventFuseBlown, "too many NodeHosts vanished at once: replacement stops"},
	{EventFuseWhole, "replacement goes on"},
	{EventClusterDefined, "a cluster was defined"},
	{EventClusterUpdated, "a cluster's specification was changed"},
	{EventClusterDeleted, "a cluster was deleted"},
	{EventClusterPlaced, "a new cluster's first members were given their NodeHosts"},
	{EventClusterAdopted, "a member that Drummer did not place was adopted"},
	{EventClusterForeign, "a NodeHost runs another Raft group under a cluster's ID"},
	{EventClusterRecovered, "a cluster that lost its quorum for good goes on from one replica"},
	{EventMembership, "a newer membership of a cluster is known"},
	{EventOperationPlanned, "an operation was decided and begins"},
	{EventOperationDropped, "an operation was decided and not begun: its cluster had changed"},
	{EventOperationEnded, "an operation ended with its NodeHost's result"},
	{EventOperationExpired, "an operation had no result within its deadline"},
	{EventOperationOvertaken, "an operation no longer matters, or another change came first"},
}
