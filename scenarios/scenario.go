// SPDX-License-Identifier: Apache-2.0

package scenarios

// Scenario is a fully resolved scenario: every field that was not given has
// its default. Get one from Parse or Load; they return only valid ones.
//
// Tags: key is the name in YAML; doc its documentation; default, min, max and
// enum ('a|b|c') its default and limits; required fields must be given;
// optional ones are absent when zero.
type Scenario struct {
	Name        string     `key:"name" required:"true" doc:"Name of the scenario: letters, digits and dashes."`
	Description string     `key:"description" optional:"true" doc:"What the scenario is about, for people."`
	Duration    Duration   `key:"duration" default:"10m" min:"1s" max:"720h" doc:"Length of the phase with faults, on the world's clock."`
	Warmup      Duration   `key:"warmup" default:"20s" max:"24h" doc:"Healthy phase with clients before the first fault."`
	Settle      Duration   `key:"settle" default:"3m" min:"1s" max:"24h" doc:"At most this long may the deployment take to heal after the last fault ended."`
	Deployment  Deployment `key:"deployment" doc:"The hosts."`
	Drummer     Drummer    `key:"drummer" doc:"Settings of the Drummer servers."`
	Clusters    Clusters   `key:"clusters" doc:"The Raft clusters that Drummer is asked to launch."`
	Workload    Workload   `key:"workload" doc:"The clients."`
	Faults      []Fault    `key:"faults" doc:"What is done to the deployment."`
	Actions     []Action   `key:"actions" doc:"What an operator asks of Drummer meanwhile, in order of time."`
	Checks      Checks     `key:"checks" doc:"What is judged after healing."`

	where places
}

// Deployment says which hosts there are. Hosts are named drummer-1 … and
// nodehost-1 ….
type Deployment struct {
	Drummers  int      `key:"drummers" default:"3" min:"1" max:"15" doc:"Number of Drummer servers, an odd number."`
	NodeHosts int      `key:"nodehosts" default:"5" min:"1" max:"1000" doc:"Number of NodeHosts."`
	Regions   []string `key:"regions" doc:"Names of regions; NodeHosts are dealt out to them in turn. Empty: no regions."`
	RTT       Duration `key:"rtt" default:"100ms" min:"1ms" max:"10s" doc:"Dragonboat's RTTMillisecond: the tick that election and heartbeat intervals count in."`
}

// Drummer configures the Drummer servers.
type Drummer struct {
	Heartbeat  Duration `key:"heartbeat" default:"1s" min:"10ms" max:"1h" doc:"Interval at which NodeHosts report."`
	TimeToLive Duration `key:"time_to_live" default:"15s" min:"20ms" max:"24h" doc:"A NodeHost unheard of for this long is dead, and its nodes are replaced."`
}

// Clusters describes the Raft clusters, which have ClusterIDs from 1 on.
type Clusters struct {
	Count              int            `key:"count" default:"16" min:"1" max:"100000" doc:"Number of Raft clusters."`
	Size               int            `key:"size" default:"3" min:"1" max:"15" doc:"Voting members of each cluster."`
	StateMachine       string         `key:"statemachine" default:"regular" enum:"regular|concurrent|ondisk|mixed" doc:"Kind of state machine; mixed deals the three kinds out in turn."`
	ElectionRTT        int            `key:"election_rtt" default:"10" min:"2" max:"10000" doc:"Election timeout in ticks of deployment.rtt."`
	HeartbeatRTT       int            `key:"heartbeat_rtt" default:"1" min:"1" max:"1000" doc:"Raft's heartbeat interval in ticks of deployment.rtt."`
	SnapshotEntries    int            `key:"snapshot_entries" default:"100" max:"10000000" doc:"A snapshot is made each time this many entries were applied; 0: never."`
	CompactionOverhead int            `key:"compaction_overhead" default:"20" max:"10000000" doc:"Log entries that are kept when a snapshot compacts the log."`
	Regions            map[string]int `key:"regions" doc:"Region to the number of members it should hold, at most size in total."`
	Bug                *Bug           `key:"bug" doc:"A planted bug; the run must end in a violation."`
}

// Bug plants a known bug (monkey/statemachine/mutant).
type Bug struct {
	Kind  string `key:"kind" required:"true" enum:"drop-update|lost-cas|dirty-cas|wrong-result|double-append|lost-delete|stale-read|forget-snapshot" doc:"Which bug; see the table of bugs."`
	Every int    `key:"every" default:"1000" min:"1" max:"1000000000" doc:"It strikes about once in this many occasions."`
	Nodes string `key:"nodes" default:"one" enum:"one|all" doc:"Whether one of the first members of each cluster has it, or every node."`
}

// Workload describes the clients.
type Workload struct {
	Clients  int      `key:"clients" default:"24" min:"1" max:"10000" doc:"Clients; each has at most one operation open."`
	Keys     int      `key:"keys" default:"8" min:"1" max:"1000000" doc:"Keys in each cluster."`
	Rate     float64  `key:"rate" default:"20" min:"0.01" max:"1000000" doc:"Operations a second that all clients together start."`
	Mix      Mix      `key:"mix" doc:"Weights of the kinds of operation."`
	Timeout  Duration `key:"timeout" default:"5s" min:"10ms" max:"10m" doc:"Time that an operation is given; longer ones have an unknown outcome."`
	Sessions string   `key:"sessions" default:"mixed" enum:"registered|noop|mixed" doc:"Client sessions: registered ones retry and are applied exactly once; no-op ones never retry. On-disk state machines always use no-op ones."`
}

// Mix weighs the kinds of operation; a weight of 0 leaves the kind out.
type Mix struct {
	Get    int `key:"get" default:"45" max:"1000000" doc:"Weight of linearizable reads."`
	Put    int `key:"put" default:"30" max:"1000000" doc:"Weight of writes."`
	CAS    int `key:"cas" default:"10" max:"1000000" doc:"Weight of compare-and-swaps."`
	Append int `key:"append" default:"10" max:"1000000" doc:"Weight of appends."`
	Delete int `key:"delete" default:"5" max:"1000000" doc:"Weight of deletes."`
}

// Fault is one entry of the fault list: what is done, to whom, when, for how
// long. Exactly one of Every, Count and At is set. Kinds says which of the
// parameters belong to which kind.
type Fault struct {
	Kind   string `key:"kind" required:"true" doc:"What is done; see the table of kinds."`
	Target Target `key:"target" required:"true" doc:"To whom: nodehost, drummer (any of them, drawn), nodehost-3, drummer-1 (that one), drummer-leader, cluster-leader (the NodeHost that leads a drawn cluster), joining (a NodeHost on which a new member is catching up)."`

	Every Duration   `key:"every" optional:"true" min:"100ms" doc:"Mean interval between two starts; each is drawn between half and one and a half of it."`
	Count int        `key:"count" optional:"true" min:"1" max:"100000" doc:"Exactly this many, at drawn times."`
	At    []Duration `key:"at" doc:"Exactly at these offsets into the phase with faults."`

	For     Range `key:"for" optional:"true" doc:"How long it lasts, drawn from the range, such as 10s..40s."`
	Forever bool  `key:"forever" optional:"true" doc:"It never ends: the host stays dead and its nodes must be replaced."`

	After  Duration `key:"after" optional:"true" doc:"No start before this offset into the phase with faults."`
	Before Duration `key:"before" optional:"true" min:"1s" doc:"No start after this offset. Absent, or later: the end of the phase."`

	AtLeast    int  `key:"at_least" optional:"true" min:"1" max:"100000" doc:"The run is inconclusive when fewer of them took effect."`
	AtMost     int  `key:"at_most" optional:"true" min:"1" max:"100000" doc:"No more than this many starts."`
	LoseQuorum bool `key:"lose_quorum" optional:"true" doc:"It may strike although a cluster, or DrummerDB, then has no quorum; otherwise it waits or is skipped."`

	Drop      Percent  `key:"drop" optional:"true" doc:"Share of messages that are lost, such as 20%."`
	Latency   Duration `key:"latency" optional:"true" min:"1ms" max:"10m" doc:"Time that is added to each message."`
	Jitter    Duration `key:"jitter" optional:"true" max:"10m" doc:"A drawn time up to this much is added on top of latency."`
	Split     string   `key:"split" optional:"true" enum:"isolate|halves|drummers|peers" doc:"isolate cuts the target off from everybody; halves splits all hosts into two groups, the target in the smaller one; drummers cuts all Drummers off from all NodeHosts, which still reach each other; peers cuts a NodeHost off from all others, while Drummers and clients still reach it."`
	Direction string   `key:"direction" optional:"true" enum:"in|out|either" doc:"Which direction is cut, seen from the target; either: drawn."`
}

// Action is something that an operator asks of Drummer during the phase with
// faults.
type Action struct {
	Do       string   `key:"do" required:"true" enum:"drain|cordon|activate|resize|create|delete|pause|resume" doc:"What is asked: drain, cordon or activate a NodeHost; resize clusters; create clusters, and delete such; pause Drummer, or resume."`
	At       Duration `key:"at" required:"true" doc:"When, since the phase with faults began."`
	Host     Target   `key:"host" optional:"true" doc:"The NodeHost that is drained, cordoned or activated, such as nodehost-2."`
	Clusters int      `key:"clusters" optional:"true" max:"100000" doc:"How many clusters are created or deleted (the newest of those created); with resize, the first so many, absent: all of clusters.count."`
	Size     int      `key:"size" optional:"true" max:"15" doc:"With resize: the new number of voting members."`
}

// Checks says what is judged.
type Checks struct {
	Linearizability Linearizability `key:"linearizability" doc:"The recorded history of every key of every cluster is linearizable."`
	Digests         Check           `key:"digests" doc:"All nodes of a cluster hold the same data at the same applied index."`
	Membership      Check           `key:"membership" doc:"Every cluster has all its members, alive, on live hosts, in Drummer's eyes and in truth, and no zombie runs."`
	Answers         Check           `key:"answers" doc:"Every cluster answers a write and a read."`
	Repair          Repair          `key:"repair" doc:"Dead members are replaced, and in time."`
	Evidence        Evidence        `key:"evidence" doc:"Enough happened for a pass to mean something."`
}

// Check is a check without settings of its own.
type Check struct {
	Enabled bool `key:"enabled" default:"true" doc:"Whether it is judged."`
}

// Linearizability configures that check.
type Linearizability struct {
	Enabled bool     `key:"enabled" default:"true" doc:"Whether it is judged."`
	Timeout Duration `key:"timeout" default:"60s" min:"1s" max:"24h" doc:"Time on the wall clock after which it gives up: inconclusive, never a pass."`
	Stop    bool     `key:"stop" default:"true" doc:"The run stops at the first operation that makes a history illegal; false: it goes on to its end."`
}

// Repair configures that check.
type Repair struct {
	Enabled       bool     `key:"enabled" default:"true" doc:"Whether it is judged."`
	Max           Duration `key:"max" optional:"true" doc:"A longer repair, from the death of a host to the full strength of a cluster, is a violation. Absent: only the end of settle counts."`
	MaxWriteStall Duration `key:"max_write_stall" optional:"true" doc:"A longer time without a successful write to a cluster that had a quorum is a violation. Absent: it is only reported."`
}

// Evidence configures that check.
type Evidence struct {
	MinOperations int `key:"min_operations" default:"1000" max:"1000000000" doc:"Fewer checked operations than this make the run inconclusive."`
}
