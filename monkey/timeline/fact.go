// SPDX-License-Identifier: Apache-2.0

package timeline

import (
	"strings"
	"time"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Fact is one thing that happened: one of the types below, by value.
type Fact interface {
	// kind is what the fact is called in events.jsonl.
	kind() string
	// String says what happened, for people.
	String() string
}

// facts holds one value of every type of Fact.
var facts = []Fact{
	PhaseBegan{}, InjectionBegan{}, InjectionEnded{}, InjectionSkipped{}, Booted{}, BootFailed{}, DiskRefused{},
	Violated{}, OperatorActed{}, OperatorFailed{}, LeaderAnnounced{}, Decided{}, ClusterRepaired{}, Diverged{}, RaftBroken{}, DrummerErred{}, QuorumLost{}, QuorumRegained{},
}

// PhaseBegan says that a phase of the run began, and the one before it ended.
type PhaseBegan struct {
	Phase Phase `json:"text"`
}

// Phase names a phase of a run.
type Phase string

// The phases of a run, in their order.
const (
	Boot   Phase = "boot"    // the world's processes start
	Launch Phase = "launch"  // Drummer launches the clusters
	WarmUp Phase = "warm-up" // clients work, nothing is broken
	Faults Phase = "faults"  // faults strike, operators act
	Heal   Phase = "heal"    // all faults end
	Settle Phase = "settle"  // Drummer repairs what is left
	Probe  Phase = "probe"   // clients have stopped; everything is asked what it holds
)

// InjectionBegan says that a fault began to act on hosts.
type InjectionBegan struct {
	ID     int      `json:"id"` // from 1; joins begin and end
	Fault  string   `json:"fault"`
	Entry  int      `json:"entry"`  // the place in the scenario's list of faults, from 0
	Target string   `json:"target"` // the selector in the scenario
	Hosts  []string `json:"hosts"`
	// Forever says that it has no end.
	Forever bool `json:"forever,omitempty"`
	// Drawn are its parameters where some were drawn, as in a file.
	Drawn string `json:"parameters,omitempty"`
	// Planned is when it should have begun, since the run's start. Exact says
	// that the scenario gives the time; otherwise it was drawn.
	Planned time.Duration `json:"planned_ns"`
	Exact   bool          `json:"exact,omitempty"`
	// Waited says what it had to wait for after Planned.
	Waited string `json:"waited,omitempty"`
	// Effect is what it did at once. What it does while it lasts is the
	// Effect of its end.
	Effect *world.Effect `json:"effect,omitempty"`
}

// InjectionEnded says that a fault ended. Effect is of the whole fault.
type InjectionEnded struct {
	ID     int           `json:"id"`
	Effect *world.Effect `json:"effect,omitempty"`
}

// InjectionSkipped says that a planned fault never began.
type InjectionSkipped struct {
	ID      int    `json:"id"`
	Fault   string `json:"fault"`
	Target  string `json:"target"`
	Forever bool   `json:"forever,omitempty"`
	// Planned and Exact are as in InjectionBegan.
	Planned time.Duration `json:"planned_ns"`
	Exact   bool          `json:"exact,omitempty"`
	Reason  string        `json:"text"`
}

// Booted says that the process of a host was started again.
type Booted struct {
	Host string `json:"host"`
}

// BootFailed says that a host did not start on what its disk holds.
type BootFailed struct {
	Host  string `json:"host"`
	Error string `json:"text"`
}

// DiskRefused says that a host did not start on a disk that a fault had damaged, as it
// should.
type DiskRefused struct {
	Host  string `json:"host"`
	Error string `json:"text"`
}

// Violated says that an operation, when it ended, made a history illegal.
type Violated struct {
	Cluster uint64 `json:"cluster"`
	Text    string `json:"text"`
}

// OperatorActed says that Drummer accepted what the scenario's operator asked.
type OperatorActed struct {
	Action string `json:"op"`
	// Planned is when it should have been asked, since the run's start.
	Planned time.Duration `json:"planned_ns"`
	Text    string        `json:"text"`
}

// OperatorFailed says that Drummer did not accept what the scenario's operator
// asked: it refused, or did not answer in time.
type OperatorFailed struct {
	Action  string        `json:"op"`
	Planned time.Duration `json:"planned_ns"`
	Error   string        `json:"text"`
}

// LeaderAnnounced is what a node announced of who leads its cluster. Only a
// node that names itself leads; what others say is their belief.
type LeaderAnnounced struct {
	Host    string `json:"host"`
	Cluster uint64 `json:"cluster"` // world.DrummerDB: DrummerDB's
	Node    uint64 `json:"node"`    // who says so
	Leader  uint64 `json:"leader"`  // whom it names; 0: nobody
	Term    uint64 `json:"term"`
}

// Leads reports whether the node announced that it leads itself.
func (l LeaderAnnounced) Leads() bool { return l.Leader != 0 && l.Leader == l.Node }

// Decided is an entry of Drummer's own event log. Its time is when it was heard
// of, at most a fraction of a second late while Drummer answers.
type Decided struct {
	Event    string `json:"op"`                // one of drummerpb.EventKinds
	Request  string `json:"request,omitempty"` // what Drummer asks a NodeHost to do
	Cluster  uint64 `json:"cluster,omitempty"`
	Node     uint64 `json:"node,omitempty"`
	NodeHost string `json:"nodehost,omitempty"` // its NodeHost ID
	Index    uint64 `json:"db_index,omitempty"` // of DrummerDB's log
	Text     string `json:"text,omitempty"`
}

// RequestName is the Request of a Decided for what Drummer asks for.
func RequestName(kind pb.RequestKind) string {
	return strings.ReplaceAll(strings.ToLower(kind.String()), "_", "-")
}

// ClusterRepaired says that a cluster has its full number of running members
// again.
type ClusterRepaired struct {
	Cluster uint64        `json:"cluster"`
	How     Repair        `json:"op"`
	Took    time.Duration `json:"took_ns"`
}

// Repair is how a cluster became whole again.
type Repair string

// The ways in which a cluster becomes whole again.
const (
	Restored Repair = "restored" // the same members run again
	Replaced Repair = "replaced" // with other members
	Moved    Repair = "moved"    // with other members, though none had failed
)

// Diverged says where replicas of a cluster were first seen to differ.
type Diverged struct {
	Cluster  uint64 `json:"cluster"`
	Index    uint64 `json:"index"`
	Node     uint64 `json:"node"`
	Sum      string `json:"sum"`
	Other    uint64 `json:"other"`
	OtherSum string `json:"other_sum"`
	// Agreed is the last index before at which Node agreed with another one.
	Agreed uint64 `json:"agreed,omitempty"`
	Entry  string `json:"text"` // at the index
}

// RaftBroken says that messages showed a node to have done what Raft forbids.
type RaftBroken struct {
	Cluster uint64 `json:"cluster"`
	Node    uint64 `json:"node"`
	Kind    string `json:"breach"`
	Term    uint64 `json:"term"`
}

// DrummerErred says that Drummer was seen to do what it should not have done.
type DrummerErred struct {
	Check   string `json:"check"`             // the key of the check that judges it
	Cluster uint64 `json:"cluster,omitempty"` // 0: it is about none
	Text    string `json:"text"`
}

// QuorumLost says that no majority of a cluster's voters runs.
type QuorumLost struct {
	Cluster uint64 `json:"cluster"`
}

// QuorumRegained says that a majority of a cluster's voters runs again.
type QuorumRegained struct {
	Cluster uint64 `json:"cluster"`
}

func (PhaseBegan) kind() string       { return "phase" }
func (InjectionBegan) kind() string   { return "fault-begin" }
func (InjectionEnded) kind() string   { return "fault-end" }
func (InjectionSkipped) kind() string { return "fault-skipped" }
func (Booted) kind() string           { return "boot" }
func (BootFailed) kind() string       { return "boot-failed" }
func (DiskRefused) kind() string      { return "disk-refused" }
func (Violated) kind() string         { return "violation" }
func (OperatorActed) kind() string    { return "operator" }
func (OperatorFailed) kind() string   { return "operator-failed" }
func (LeaderAnnounced) kind() string  { return "leader" }
func (Decided) kind() string          { return "drummer" }
func (ClusterRepaired) kind() string  { return "repaired" }
func (Diverged) kind() string         { return "diverged" }
func (RaftBroken) kind() string       { return "raft-broken" }
func (DrummerErred) kind() string     { return "drummer-erred" }
func (QuorumLost) kind() string       { return "quorum-lost" }
func (QuorumRegained) kind() string   { return "quorum-regained" }
