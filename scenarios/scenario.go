// SPDX-License-Identifier: Apache-2.0

package scenarios

// Scenario is a fully resolved scenario: every field that was not given has
// its default. Get one from Parse or Load; they return only valid ones.
//
// Tags: key is the name in YAML; doc its documentation; default, min, max and
// enum ('a|b|c') its default and limits; required fields must be given;
// optional ones are absent when zero; swarm lists, separated by '|', what a swarm
// draws from: values as in a file, or ranges 'a..b' of numbers, durations and
// shares; 'never: WHY' for what it does not draw; option marks those of Dragonboat.
type Scenario struct {
	Name        string       `key:"name" required:"true" doc:"Name of the scenario: letters, digits and dashes."`
	Description string       `key:"description" optional:"true" doc:"What the scenario is about, for people."`
	Duration    Duration     `key:"duration" default:"10m" min:"1s" max:"720h" doc:"Length of the phase with faults, on the world's clock."`
	Swarm       bool         `key:"swarm" optional:"true" doc:"What the file does not give of deployment, drummer, clusters, workload and faults is drawn from the seed of the run."`
	Warmup      Duration     `key:"warmup" default:"20s" max:"24h" doc:"Healthy phase with clients before the first fault."`
	Settle      Duration     `key:"settle" default:"3m" min:"1s" max:"24h" doc:"At most this long may the deployment take to heal after the last fault ended."`
	Deployment  Deployment   `key:"deployment" doc:"The hosts."`
	Drummer     Drummer      `key:"drummer" doc:"Settings of the Drummer servers."`
	Clusters    Clusters     `key:"clusters" doc:"The Raft clusters that Drummer is asked to launch."`
	Workload    Workload     `key:"workload" doc:"The clients."`
	Faults      []Fault      `key:"faults" doc:"What is done to the deployment."`
	Phases      []Phase      `key:"phases" doc:"Parts of the phase with faults, one after the other, each with its own load and faults. The duration is their sum."`
	Explore     *Explore     `key:"explore" doc:"In which order goroutines run. The run is exact."`
	Actions     []Action     `key:"actions" doc:"What an operator asks of Drummer meanwhile, in order of time."`
	Checks      Checks       `key:"checks" doc:"What is judged after healing."`
	Expect      Expectations `key:"expect" doc:"What must have come of the run, besides the checks: assertions about its measures."`

	where places
}

// Deployment says which hosts there are. Hosts are named drummer-1 … and
// nodehost-1 ….
type Deployment struct {
	Drummers     int      `key:"drummers" default:"3" max:"15" doc:"Number of Drummer servers, an odd number. 0: no Master; NodeHosts start the nodes of their clusters, whose members are fixed, by themselves." swarm:"3|3|3|5|1|0"`
	NodeHosts    int      `key:"nodehosts" default:"5" min:"1" max:"1000" doc:"Number of NodeHosts." swarm:"3..8"`
	Regions      []string `key:"regions" doc:"Names of regions; NodeHosts are dealt out to them in turn. Empty: no regions." swarm:"[]|[]|[east, west]|[east, west, south]"`
	Racks        int      `key:"racks" optional:"true" min:"1" max:"100" swarm:"never: a swarm has no targets of racks" doc:"Racks in each region, or in all when there are no regions; NodeHosts are dealt out to them in turn. They are named eu-rack-1, or rack-1, for targets of faults, and for clusters.spread_over: Drummer knows them as the label rack."`
	Labels       []Label  `key:"labels" swarm:"never: a swarm has no targets of labels" doc:"Names for groups of NodeHosts, for targets of faults, and for clusters.required_labels."`
	RTT          Duration `key:"rtt" default:"100ms" min:"1ms" max:"10s" doc:"Dragonboat's RTTMillisecond: the tick that election and heartbeat intervals count in." swarm:"50ms|100ms|100ms|200ms|500ms"`
	MaxEntrySize int      `key:"max_entry_size" default:"0" max:"1000000000" doc:"Dragonboat's soft setting MaxEntrySize, in bytes: what a message replicates of the log, and a step applies, but one entry at least. Small ones have logs replicated piece by piece, as large entries are. 0: its own, 64 MiB." swarm:"0|0|0|500..1500|1000..8000"`
	Network      Network  `key:"network" doc:"The links between hosts. Clients are a host, too."`
	Disk         Disk     `key:"disk" doc:"The disks of hosts."`
	Version      int      `key:"version" default:"1" min:"1" max:"2" doc:"Version of the state machine with which NodeHosts start; the fault upgrade gives a host another one. The key-value state machine that comes along has two, which read each other's snapshots and write different ones." swarm:"1|1|1|2"`
	LogDB        string   `key:"logdb" default:"pebble" enum:"pebble|memory" doc:"Where Dragonboat keeps its logs: pebble, its own LogDB, or memory, which is quicker and has only a journal on the host's disk. Both lose in a power loss what was not synced." swarm:"pebble|pebble|memory"`
}

// LogInMemory is the LogDB that is kept in memory.
const LogInMemory = "memory"

// Network says how long messages are under way. A message is a batch of Raft
// messages, or bytes of a gRPC stream.
type Network struct {
	Latency Latency   `key:"latency" default:"{min: 500us, median: 2ms, p99: 20ms}" doc:"Time that a message is under way, in one direction. It is drawn for each message, from a source of its own for each link." swarm:"{min: 500us, median: 2ms, p99: 20ms}|{min: 100us, median: 500us, p99: 5ms}|{min: 5ms, median: 20ms, p99: 100ms}"`
	Between []Between `key:"between" doc:"Pairs of regions whose links have another latency. Drummers and clients are in no region." swarm:"never: drawn with the regions"`
	Slot    Duration  `key:"slot" default:"1ms" max:"1s" doc:"What is under way arrives at multiples of this, rounded up: a host handles together what arrives together. 0s: nothing is rounded." swarm:"1ms|1ms|0s|5ms"`
}

// Disk says how long disks take. While its disk, or a state machine, is at work a
// host sends nothing.
type Disk struct {
	Sync  Latency `key:"sync" default:"{min: 200us, median: 1ms, p99: 15ms}" doc:"Time that a sync takes which has something to make durable." swarm:"{min: 200us, median: 1ms, p99: 15ms}|{min: 200us, median: 1ms, p99: 15ms}|{min: 1ms, median: 5ms, p99: 100ms}|0"`
	Write Latency `key:"write" default:"0" doc:"Time that a write to a file takes." swarm:"0|0|{min: 10us, median: 50us, p99: 1ms}"`
}

// Between is the latency of the links between two regions, or within one.
type Between struct {
	Regions []string `key:"regions" required:"true" doc:"The two regions; twice the same: within that region."`
	Latency Latency  `key:"latency" required:"true" doc:"Time that a message is under way between them, in one direction."`
}

// LatencyBetween is the latency of the links from and to hosts in two regions,
// which are empty for hosts in none.
func (n *Network) LatencyBetween(a, b string) Latency {
	for _, pair := range n.Between {
		if r := pair.Regions; a == r[0] && b == r[1] || a == r[1] && b == r[0] {
			return pair.Latency
		}
	}
	return n.Latency
}

// Drummer configures the Drummer servers.
type Drummer struct {
	Heartbeat  Duration `key:"heartbeat" default:"1s" min:"10ms" max:"1h" doc:"Interval at which NodeHosts report." swarm:"500ms|1s|1s|2s"`
	TimeToLive Duration `key:"time_to_live" default:"15s" min:"20ms" max:"24h" doc:"A NodeHost unheard of for this long is dead, and its nodes are replaced." swarm:"10s..40s"`
	Snapshots  int      `key:"snapshot_entries" default:"200" min:"1" max:"1000000" doc:"DrummerDB makes a snapshot each time this many commands were applied: far more often than in production, so that servers start from one in a run of minutes." swarm:"50..500"`
}

// The ways of compressing.
const (
	NoCompression = "none"
	Snappy        = "snappy"
)

// WritesAtSync is the clusters.ondisk_writes of state machines that keep updates in
// memory until Dragonboat asks for them.
const WritesAtSync = "sync"

// Clusters describes the Raft clusters, which have ClusterIDs in a row.
type Clusters struct {
	Count               int            `key:"count" default:"16" min:"1" max:"100000" doc:"Number of Raft clusters." swarm:"8..16"`
	First               int            `key:"first" default:"1" min:"1" max:"1000000" doc:"ClusterID of the first one; the others follow." swarm:"1|1|1000"`
	Size                int            `key:"size" default:"3" min:"1" max:"15" doc:"Voting members of each cluster." swarm:"1|2|3|3|3|4|5|5|7"`
	StateMachine        string         `key:"statemachine" default:"regular" enum:"regular|concurrent|ondisk|mixed" doc:"Kind of state machine; mixed deals the three kinds out in turn." swarm:"regular|concurrent|ondisk|mixed|mixed"`
	OnDiskWrites        string         `key:"ondisk_writes" default:"update" enum:"update|sync" doc:"When the on-disk state machines that come along write what they applied: with each update, or only when Dragonboat calls Sync, before it makes a snapshot, after it took one over, and every three minutes. With sync they open far behind the log, and apply many entries again." swarm:"update|sync"`
	ElectionRTT         int            `key:"election_rtt" option:"true" default:"10" min:"2" max:"10000" doc:"Election timeout in ticks of deployment.rtt." swarm:"5|10|10..30"`
	HeartbeatRTT        int            `key:"heartbeat_rtt" option:"true" default:"1" min:"1" max:"1000" doc:"Raft's heartbeat interval in ticks of deployment.rtt." swarm:"1|1|2|3"`
	SnapshotEntries     int            `key:"snapshot_entries" option:"true" default:"100" max:"10000000" doc:"A snapshot is made each time this many entries were applied; 0: never." swarm:"0|20..100|50..500"`
	CompactionOverhead  int            `key:"compaction_overhead" option:"true" default:"20" max:"10000000" doc:"Log entries that are kept when a snapshot compacts the log." swarm:"1..20|10..200"`
	CheckQuorum         bool           `key:"check_quorum" option:"true" default:"true" doc:"Raft's CheckQuorum: a leader that does not hear of a quorum within an election timeout steps down." swarm:"true|true|true|false"`
	Quiesce             bool           `key:"quiesce" option:"true" default:"false" doc:"Dragonboat's Quiesce: clusters that nobody asks for anything send no heartbeats." swarm:"false|false|true"`
	MaxInMemLogSize     int            `key:"max_in_mem_log_size" option:"true" default:"0" max:"1000000000" doc:"Dragonboat's MaxInMemLogSize, in bytes: with more than this in memory a node takes no proposals, which fail (ErrSystemBusy). 0: no limit, otherwise at least 256." swarm:"0|0|0|1000..100000"`
	EntryCompression    string         `key:"entry_compression" option:"true" default:"none" enum:"none|snappy" doc:"How proposals are compressed." swarm:"none|snappy"`
	SnapshotCompression string         `key:"snapshot_compression" option:"true" default:"none" enum:"none|snappy" doc:"How snapshots are compressed." swarm:"none|snappy"`
	OrderedConfigChange bool           `key:"ordered_config_change" option:"true" default:"true" doc:"Dragonboat's OrderedConfigChange: a membership change is refused that does not name the last one. Drummer demands it; with deployment.drummers 0 it can be off." swarm:"true|true|true|false"`
	AutoCompaction      bool           `key:"auto_compaction" option:"true" default:"true" doc:"The log storage frees what was dropped from a log after each snapshot; off, Dragonboat's DisableAutoCompactions, it does so when it is asked to (fault compact-log). Drummer's clusters always do; with deployment.drummers 0 it can be off." swarm:"true|true|false"`
	Observers           int            `key:"observers" option:"true" default:"0" max:"15" doc:"Members of each cluster that only listen and answer reads; with deployment.drummers 0 only." swarm:"0|0|1|2"`
	Witnesses           int            `key:"witnesses" option:"true" default:"0" max:"15" doc:"Members of each cluster that vote and have no state machine; with deployment.drummers 0 only." swarm:"0|0|1"`
	Apply               Latency        `key:"apply" default:"0" doc:"Time that a state machine takes to apply an entry." swarm:"0|0|{min: 100us, median: 1ms, p99: 20ms}|{min: 1ms, median: 5ms, p99: 100ms}|{min: 10ms, median: 30ms, p99: 300ms}"`
	Snapshot            Latency        `key:"snapshot" default:"0" doc:"Time that a state machine takes to write a snapshot." swarm:"0|0|{min: 10ms, median: 100ms, p99: 1s}"`
	Regions             map[string]int `key:"regions" doc:"Region to the number of members it should hold, at most size in total." swarm:"never: drawn with the regions of the deployment"`
	SpreadOver          string         `key:"spread_over" default:"nothing" enum:"nothing|region|rack" doc:"Failure domains over which the members of a cluster are spread: as few as can be are in the same one." swarm:"never: it matters where whole domains are struck, and a swarm has no such targets"`
	RequiredLabels      []string       `key:"required_labels" doc:"Names of deployment.labels: only hosts with all of them get members." swarm:"never: drawn with the labels of the deployment, of which there are none"`
	Bug                 *Bug           `key:"bug" doc:"A planted bug; the run must end in a violation." swarm:"never: a run with a planted bug is to end in a violation"`
}

// Keys is the workload.kind of keys that hold texts.
const Keys = "keys"

// Workload describes the clients.
type Workload struct {
	Kind        string   `key:"kind" default:"keys" enum:"keys|counter|set|bank|queue|table" doc:"What keys hold: texts (keys), or each a counter, a set, a bank with accounts, a queue, or a table on whose rows transactions work. All but keys have an update in the place of each write of the mix, and are judged by a model of their own." swarm:"keys|keys|keys|counter|set|bank|queue|table"`
	Clients     int      `key:"clients" default:"24" min:"1" max:"10000" doc:"Clients, which take the operations in turn as they become idle." swarm:"30..120"`
	Open        int      `key:"open" default:"1" min:"1" max:"1000" doc:"Operations that a client may have open at once. For the history each is a process of its own, with sessions of its own; what the client has learned they share." swarm:"1|1|1|3"`
	Think       Latency  `key:"think" default:"0" doc:"Time after an answer in which a client, or one of its open operations, is not idle yet." swarm:"0|0|{min: 10ms, median: 100ms, p99: 1s}"`
	Keys        int      `key:"keys" default:"8" min:"1" max:"1000000" doc:"Keys in each cluster." swarm:"1..32"`
	ValueBytes  int      `key:"value_bytes" default:"0" max:"1000000" doc:"Values that are written have a size, in bytes, that is drawn from 0 to this; they are as long as their names at least. Of keys only." swarm:"0|0|0|100|10000"`
	Rate        float64  `key:"rate" default:"20" min:"0.01" max:"1000000" doc:"Operations a second that all clients together start." swarm:"10..40"`
	Zipf        float64  `key:"zipf" default:"0.99" max:"10" doc:"How much hotter some keys of a cluster are: k0 is asked for most, and the n-th hottest 1/n to this power as often (Zipf). 0: all alike." swarm:"0|0.99|0.99|1.5"`
	ClusterZipf float64  `key:"cluster_zipf" default:"0" max:"10" doc:"How much hotter some clusters are, likewise: with 2 and eight clusters the first one gets 65 % of the operations. 0: all alike." swarm:"0|0|1|2"`
	Burst       Burst    `key:"burst" doc:"Operations that start at one instant on one key, so that they are concurrent."`
	Mix         Mix      `key:"mix" doc:"Weights of the kinds of operation."`
	Timeout     Duration `key:"timeout" default:"5s" min:"10ms" max:"10m" doc:"Time that an operation is given; longer ones have an unknown outcome." swarm:"2s|5s|5s|10s|20s|60s"`
	Local       int      `key:"local" default:"0" max:"10000" doc:"How many of the clients are a part of each NodeHost's process, as those of an application are that embeds Dragonboat: they call the NodeHost they ask without gRPC and past the network. Their answers are lost when the process ends." swarm:"0|0|0|30"`
	Sessions    string   `key:"sessions" default:"mixed" enum:"registered|noop|mixed" doc:"Client sessions: registered ones retry and are applied exactly once; no-op ones never retry. On-disk state machines always use no-op ones." swarm:"registered|noop|mixed|mixed"`

	Operations []Operation `key:"operations" doc:"Exactly these operations, in order of time, instead of drawn ones." swarm:"never: operations are drawn one by one"`
}

// Burst says how many operations start together.
type Burst struct {
	Share Percent `key:"share" default:"50%" doc:"Share of the operations that are part of a burst." swarm:"20%..80%"`
	Size  int     `key:"size" default:"3" min:"1" max:"10000" doc:"Operations in a burst, which go to the members of the cluster in turn; 1: there are none." swarm:"1|3|3|5|8"`
}

// Mix weighs the kinds of operation; a weight of 0 leaves the kind out.
type Mix struct {
	Get    int `key:"get" default:"45" max:"1000000" doc:"Weight of linearizable reads." swarm:"20|45|45|70"`
	Put    int `key:"put" default:"30" max:"1000000" doc:"Weight of writes." swarm:"30|10..60"`
	CAS    int `key:"cas" default:"10" max:"1000000" doc:"Weight of compare-and-swaps." swarm:"0|10|20"`
	Append int `key:"append" default:"10" max:"1000000" doc:"Weight of appends." swarm:"0|10|30"`
	Stale  int `key:"stale" default:"0" max:"1000000" doc:"Weight of stale reads, which a replica answers by what it holds at that moment: they have to go forward, and see nothing of the future (check stale)." swarm:"0|0|10|30"`
	Delete int `key:"delete" default:"5" max:"1000000" doc:"Weight of deletes." swarm:"0|5|15"`
}

// Action is something that an operator asks of Drummer during the phase with
// faults.
type Action struct {
	Do       string   `key:"do" required:"true" enum:"drain|cordon|activate|resize|create|delete|pause|resume|back-up|restore" doc:"What is asked: drain, cordon or activate a NodeHost; resize clusters; create clusters, and delete such; pause Drummer, or resume; back DrummerDB up, and restore the last backup into the one that was begun since."`
	At       Duration `key:"at" required:"true" doc:"When, since the phase with faults began."`
	Host     Target   `key:"host" optional:"true" doc:"The NodeHost that is drained, cordoned or activated, such as nodehost-2."`
	Clusters int      `key:"clusters" optional:"true" max:"100000" doc:"How many clusters are created or deleted (the newest of those created); with resize, the first so many, absent: all of clusters.count."`
	Size     int      `key:"size" optional:"true" max:"15" doc:"With resize: the new number of voting members."`
}
