// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/model"
)

// Facts is what was recorded of a run. All times are nanoseconds on the clock
// of the run's history. A list that is nil was not recorded; the checks that
// need it are inconclusive. A list that is empty, but not nil, was recorded
// and holds nothing: a run without dead members has no repairs. JSON keeps the
// difference (null and []).
type Facts struct {
	// Clusters holds what each Raft cluster should be.
	Clusters []Cluster `json:"clusters"`
	// Hosts is the truth at the end: which hosts are up, and what runs there.
	Hosts []Host `json:"hosts"`
	// Picture is what Drummer believed at the end.
	Picture []PictureNode `json:"picture"`
	// Memberships holds the views that nodes have of their clusters, in any
	// order, at any time.
	Memberships []Membership `json:"memberships"`
	// Changing holds the clusters whose nodes or members changed while Hosts,
	// Picture and the newest Memberships were taken: those are not of one
	// instant there.
	Changing []uint64 `json:"changing,omitempty"`
	// Digests holds digests of replicas' states after healing.
	Digests []Digest `json:"digests"`
	// Undigested says that the state machines have no digests.
	Undigested bool `json:"undigested,omitempty"`
	// DrummerDB holds digests of what Drummer servers held of DrummerDB: of all of them
	// after healing, and of those that were seen to differ at one index before. Servers
	// is how many ran then.
	DrummerDB []Digest `json:"drummerdb"`
	Servers   int      `json:"servers,omitempty"`
	// Audit is what was seen of Drummer's work from the inside.
	Audit *Audit `json:"audit"`
	// Requests is what Drummer asked NodeHosts for, and why it may have.
	Requests *Requests `json:"requests,omitempty"`
	// Divergences holds where replicas of a cluster were first seen to differ
	// while the run went on; Compared counts the updates that were compared.
	Divergences []Divergence `json:"divergences"`
	Compared    int64        `json:"compared,omitempty"`
	// RaftSafety is what the messages of Raft say of its safety.
	RaftSafety *RaftSafety `json:"raft_safety"`
	// Leaders holds every event in which a node became leader in a term.
	Leaders []Leader `json:"leaders"`
	// Begun holds when clusters were begun anew, on disks that were all empty: what was
	// before is another cluster of the same ID.
	Begun map[uint64][]int64 `json:"begun,omitempty"`
	// Beliefs holds every event in which a node named another one as leader.
	Beliefs []Belief `json:"beliefs"`
	// Finals holds what each key was read to hold after healing.
	Finals []Final `json:"finals"`
	// Probes holds the write and the read that each cluster was asked for
	// after healing.
	Probes []Probe `json:"probes"`
	// ReadMembers counts the members that answered a read after healing, each by
	// itself; those that did not are among the Probes.
	ReadMembers int `json:"read_members,omitempty"`
	// Members holds what the members of clusters that did not answer held then.
	Members []MemberState `json:"members,omitempty"`
	// Repairs holds each loss of a member that was not to come back.
	Repairs []Repair `json:"repairs"`
	// Stalls holds the longest times of each cluster without a completed
	// write; see WriteStalls. A cluster of which it holds none was not asked
	// for a write.
	Stalls []Stall `json:"stalls"`
	// Faults holds every fault that was planned and due, with its measured
	// effect.
	Faults []Fault `json:"faults"`
	// StaleReads says that clients asked for stale reads.
	StaleReads bool `json:"stale_reads,omitempty"`
	// Starts holds when replicas may have been started.
	Starts []Start `json:"starts,omitempty"`
	// Outages holds the times in which a cluster had no majority of running
	// voters.
	Outages []Outage `json:"outages"`
	// Wanted holds how often faults should have taken effect at least.
	Wanted []WantedFault `json:"wanted,omitempty"`
	// Process is how the process that held the world ended.
	Process *Process `json:"process,omitempty"`
	// Launch is how the clusters were launched.
	Launch *Launch `json:"launch,omitempty"`
	// Settle is how the deployment became whole again after the last fault.
	Settle *Settle `json:"settle,omitempty"`
	// Placed says that the scenario wants members in certain places, and Placement how
	// they came to be there once all was whole.
	Placed    bool       `json:"placed,omitempty"`
	Placement *Placement `json:"placement,omitempty"`
	// Actions is what the scenario's operator asked of Drummer, and Drummer
	// accepted; WantedActions counts what the scenario has. Unmet lists what of
	// it does not hold at the end.
	Actions       []Action `json:"actions,omitempty"`
	WantedActions int      `json:"wanted_actions,omitempty"`
	Unmet         []string `json:"unmet,omitempty"`
	// Asked counts the operations that clients were to begin, Missed those of
	// them that no client was idle for.
	Asked  int `json:"asked"`
	Missed int `json:"missed"`
	// Static says that there is no Drummer: members are fixed.
	Static bool `json:"static,omitempty"`
	// Healed says that the run came to its end, and what there was to collect
	// after healing was collected.
	Healed bool `json:"healed"`
	// Stopped says that the run stopped at a violation that was seen while it
	// went on.
	Stopped bool `json:"stopped,omitempty"`
	// Invariants is what came of the invariants that somebody brought along; nil:
	// there were none.
	Invariants *Brought `json:"invariants,omitempty"`
	// Ops is the history of the run.
	Ops []history.Op `json:"-"`
	// Model is the specification that the history is judged by; nil: the key-value
	// store.
	Model model.Model `json:"-"`
}

// ofKeys reports whether the history is one of a key-value store.
func ofKeys(f *Facts) bool {
	return f.Model == nil && !slices.ContainsFunc(f.Ops, func(op history.Op) bool { return op.Kind == history.Command || op.Kind == history.Query })
}

// Start is a time in which replicas were started: all on a host, or some of a cluster.
type Start struct {
	Host    string `json:"host,omitempty"`
	Cluster uint64 `json:"cluster,omitempty"`
	From    int64  `json:"from"`
	To      int64  `json:"to"`
}

// Process is how the process that held the world ended.
type Process struct {
	// Panic is the message of what ended it, if it crashed.
	Panic string `json:"panic,omitempty"`
	// Where says on which host, and in which Raft node, and Before what the last
	// fault was that struck before; both as far as they are known.
	Where  string `json:"where,omitempty"`
	Before string `json:"before,omitempty"`
	// NotBooted lists the hosts that did not start again on what their disks
	// held, and why.
	NotBooted []string `json:"not_booted,omitempty"`
	// Exited is the exit status with which it ended itself, without a panic; 0: it did not.
	Exited int `json:"exited,omitempty"`
	// Hidden lists what went wrong inside of it without a sign.
	Hidden []string `json:"hidden,omitempty"`
	// Cut says why the run ended before its time, if it did and nothing above
	// says so: it was interrupted, killed, or the harness failed.
	Cut string `json:"cut,omitempty"`
}

// Launch is how the clusters were launched.
type Launch struct {
	Clusters int   `json:"clusters"` // that were to be launched
	Full     int   `json:"full"`     // that ran in full by the end of the launch
	Took     int64 `json:"took"`     // 0: the run ended before the launch did
}

// Settle is how the deployment became whole again after the last fault.
type Settle struct {
	Whole bool  `json:"whole"` // within the time that the scenario gives
	Took  int64 `json:"took"`
	// Left lists what was not whole at the end of that time.
	Left []string `json:"left,omitempty"`
}

// Placement is how members came to live where the scenario wants them.
type Placement struct {
	Took int64 `json:"took"` // since all was whole
	// Left lists, by cluster, what was not as wanted at the end of the time for it,
	// although there were hosts for it.
	Left []string `json:"left,omitempty"`
}

// Cluster is what a Raft cluster should be at the end.
type Cluster struct {
	Cluster uint64 `json:"cluster"`
	// Size is its full number of voting members.
	Size int `json:"size"`
}

// Node names a node of a Raft cluster.
type Node struct {
	Cluster uint64 `json:"cluster"`
	Node    uint64 `json:"node"`
}

// Host is the truth about a host.
type Host struct {
	Host  string `json:"host"`
	Alive bool   `json:"alive"`
	// Running holds the nodes that run on it; nil: not recorded.
	Running []Node `json:"running"`
	// Stored holds the nodes that have a log on its disk, running or not; nil: not
	// recorded.
	Stored []Node `json:"stored"`
	// Address is what memberships call it; empty: not recorded.
	Address string `json:"address,omitempty"`
	// Data holds the nodes whose state machines have data of their own on its disk;
	// nil: not recorded.
	Data []Node `json:"data,omitempty"`
}

// PictureNode is a member as Drummer sees it.
type PictureNode struct {
	Cluster uint64 `json:"cluster"`
	Node    uint64 `json:"node"`
	Host    string `json:"host"`
	// Alive says that Drummer takes the member for running on a live host.
	Alive bool `json:"alive"`
	// Voter is false for observers and witnesses.
	Voter bool `json:"voter"`
}

// Membership is a cluster's membership as one of its nodes sees it. Only a
// view taken from the node's own applied state counts.
type Membership struct {
	Cluster uint64 `json:"cluster"`
	// Node is whose view it is.
	Node uint64 `json:"node"`
	// Version is the config change index.
	Version   uint64            `json:"version"`
	Voters    map[uint64]string `json:"voters"`
	Observers map[uint64]string `json:"observers,omitempty"`
	Witnesses map[uint64]string `json:"witnesses,omitempty"`
	// Removed holds the nodes that were members once; nil: not recorded.
	Removed []uint64 `json:"removed"`
	// VotersOnly says that only the voters were recorded.
	VotersOnly bool  `json:"voters_only,omitempty"`
	At         int64 `json:"at"`
}

// Digest is the digest of a replica's state after it applied the entry at
// Index. It was taken after healing, from a replica that should have caught up.
type Digest struct {
	Cluster uint64 `json:"cluster"`
	Node    uint64 `json:"node"`
	Host    string `json:"host"`
	Index   uint64 `json:"index"`
	Sum     string `json:"sum"`
}

// Requests is what Drummer asked NodeHosts for.
type Requests struct {
	Asked []Request `json:"asked"`
	// Adding is the Kind of those that add a member.
	Adding string `json:"adding"`
	// Turns counts how often each NodeHost, by its ID, came or went in Drummer's eyes.
	Turns map[string]int `json:"turns"`
	// Crashes is how often the process of the host that fared worst was ended by a
	// fault: often enough Drummer did not notice.
	Crashes int `json:"crashes"`
	// Uncounted says that the run ended before a fault did, whose Crashes nobody knows.
	Uncounted bool `json:"uncounted,omitempty"`
	// Wanted counts the new members of each cluster that an operator may have asked
	// for.
	Wanted map[uint64]int `json:"wanted,omitempty"`
}

// Request is what Drummer asked a NodeHost for, and how often.
type Request struct {
	Kind     string `json:"kind"`
	Cluster  uint64 `json:"cluster"`
	Node     uint64 `json:"node"`
	NodeHost string `json:"nodehost"` // its ID
	Times    int    `json:"times"`
}

// Divergence is the first index at which two replicas of a cluster were seen to
// differ.
type Divergence struct {
	Cluster  uint64 `json:"cluster"`
	Index    uint64 `json:"index"`
	Node     uint64 `json:"node"`
	Sum      string `json:"sum"`
	Other    uint64 `json:"other"`
	OtherSum string `json:"other_sum"`
	// Agreed is the last index before at which Node agreed with another one; 0
	// if there is none.
	Agreed uint64 `json:"agreed,omitempty"`
	// Entry is what the entry at the index asks for.
	Entry string `json:"entry"`
	At    int64  `json:"at"`
}

// Leader says that a node became leader of its cluster in a term, by its own
// announcement.
type Leader struct {
	Cluster uint64 `json:"cluster"`
	Term    uint64 `json:"term"`
	Node    uint64 `json:"node"`
	At      int64  `json:"at"`
}

// Belief says that a node named another one as leader of a term.
type Belief struct {
	Cluster uint64 `json:"cluster"`
	Term    uint64 `json:"term"`
	Node    uint64 `json:"node"`   // who says so
	Leader  uint64 `json:"leader"` // whom it names
	At      int64  `json:"at"`
}

// Final is what a key held after healing, by a linearizable read whose Key is
// that of the history. Value is nil for a key that holds nothing.
type Final struct {
	Cluster uint64  `json:"cluster"`
	Key     string  `json:"key"`
	Value   *string `json:"value"`
	// Writer names the write that the read saw, as ObservedWriter does in a
	// history; empty: not recorded.
	Writer string `json:"writer,omitempty"`
	// At is when the read was called, Until when it returned; a read whose
	// Until is 0 took no time.
	At    int64 `json:"at"`
	Until int64 `json:"until,omitempty"`
}

// Probe is an operation that a cluster was asked for after healing.
type Probe struct {
	Cluster uint64 `json:"cluster"`
	// Kind is write or read.
	Kind string `json:"kind"`
	// Host is that of the member which was asked and no other; empty: any member.
	Host string `json:"host,omitempty"`
	OK   bool   `json:"ok"`
	// Error is what the last attempt was answered.
	Error string `json:"error,omitempty"`
	// Took is the time from the first attempt to the answer.
	Took int64 `json:"took"`
}

// MemberState is what a member of a Raft cluster held at an instant.
type MemberState struct {
	Cluster uint64 `json:"cluster"`
	Node    uint64 `json:"node"`
	Host    string `json:"host"`
	// Running says that the rest is known.
	Running bool   `json:"running"`
	Role    string `json:"role,omitempty"`
	Term    uint64 `json:"term,omitempty"`
	Leader  uint64 `json:"leader,omitempty"` // whom it follows; 0: nobody
	// LastIndex, Commit and Applied are indexes of the log.
	LastIndex uint64 `json:"last_index,omitempty"`
	Commit    uint64 `json:"commit,omitempty"`
	Applied   uint64 `json:"applied,omitempty"`
}

// String says it for people.
func (m MemberState) String() string {
	if !m.Running {
		return fmt.Sprintf("node %d on %s does not run", m.Node, m.Host)
	}
	following := "following nobody"
	if m.Leader != 0 {
		following = fmt.Sprintf("following node %d", m.Leader)
	}
	return fmt.Sprintf("node %d on %s is %s in term %d %s, with last index %d, commit %d, applied %d",
		m.Node, m.Host, m.Role, m.Term, following, m.LastIndex, m.Commit, m.Applied)
}

// Repair is the loss of a member and its replacement.
type Repair struct {
	Cluster uint64 `json:"cluster"`
	Node    uint64 `json:"node"`
	Host    string `json:"host,omitempty"`
	LostAt  int64  `json:"lost_at"`
	// RepairedAt is when the cluster had its full number of live voting
	// members again; 0 if never.
	RepairedAt int64 `json:"repaired_at"`
	// By is the member that took the place; 0 if none did.
	By uint64 `json:"by,omitempty"`
}

// Stall is the longest time of a cluster without a completed write while at
// least one was asked for. A cluster can have one of each sort.
type Stall struct {
	Cluster uint64 `json:"cluster"`
	From    int64  `json:"from"`
	To      int64  `json:"to"`
	// Excused says that the cluster had no quorum of running members for at
	// least half of the time, so that no limit applies.
	Excused bool `json:"excused,omitempty"`
	// Unsure says that clients may not have waited any more when it began: it
	// is only known by when they had given up.
	Unsure bool `json:"unsure,omitempty"`
}

// Outage is a time in which a cluster had no majority of running voters. To is
// the end of the run for one that did not end.
type Outage struct {
	Cluster uint64 `json:"cluster"`
	From    int64  `json:"from"`
	To      int64  `json:"to"`
}

// Fault is a fault that was due: injected, or skipped.
type Fault struct {
	Kind    string `json:"kind"`
	Target  string `json:"target"`
	Forever bool   `json:"forever,omitempty"`
	From    int64  `json:"from"`
	// To is when it ended or was healed; 0 if it lasted to the end.
	To int64 `json:"to"`
	// Late is by how much it began later than the scenario says, and Reason what
	// it had to wait for. A time that was drawn is as good as a later one: 0.
	Late   int64  `json:"late,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Skipped says that it never began, because of Reason; From is then when it
	// was to begin.
	Skipped bool `json:"skipped,omitempty"`
	// Exact says that the scenario gives the time at which it is to begin, not
	// one that was drawn.
	Exact bool `json:"exact,omitempty"`
	// TookEffect says that anything was measured: processes ended, messages
	// dropped, bytes lost.
	TookEffect bool `json:"took_effect"`
	// MayMiss says that a fault of this kind may legitimately have nothing
	// to act on (a partition between hosts that exchange nothing).
	MayMiss bool `json:"may_miss,omitempty"`
}

// Action is something that Drummer accepted of an operator.
type Action struct {
	What string `json:"what"`
	At   int64  `json:"at"` // when it was accepted
	// Late is by how much that was later than the scenario says.
	Late int64 `json:"late,omitempty"`
}

// WantedFault is how often, at least, a kind of fault on a target should take
// effect.
type WantedFault struct {
	Kind    string `json:"kind"`
	Target  string `json:"target"`
	Forever bool   `json:"forever,omitempty"`
	AtLeast int    `json:"at_least"`
}
