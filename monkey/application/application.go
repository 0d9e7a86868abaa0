// SPDX-License-Identifier: Apache-2.0

package application

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"

	sm "github.com/lni/dragonboat/v3/statemachine"
	"github.com/lni/goutils/vfs"

	"github.com/drumbeat-raft/drumbeat/checker/invariant"
	"github.com/drumbeat-raft/drumbeat/drummer/agent"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/contract"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/journal"
	"github.com/drumbeat-raft/drumbeat/monkey/workload"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// Machine is a state machine of a user, of one of Dragonboat's three kinds:
// exactly one of the factories is set.
type Machine struct {
	// Name is that of the application that clusters are defined with.
	Name       string
	Regular    sm.CreateStateMachineFunc
	Concurrent sm.CreateConcurrentStateMachineFunc
	// OnDisk makes the factory of a replica that keeps its files in dir on fs. The
	// folder is there.
	OnDisk func(fs vfs.FS, dir string) sm.CreateOnDiskStateMachineFunc
	// Upgraded, unless nil, is the machine in version 2 of the deployment, of the same
	// kind. It has no name of its own.
	Upgraded *Machine
}

// in returns the machine in a version. One that is not upgraded is the same in all.
func (m Machine) in(version int) Machine {
	if version > 1 && m.Upgraded != nil {
		return *m.Upgraded
	}
	return m
}

// Kind names the kind as scenarios do; empty: no factory is set.
func (m Machine) Kind() string {
	switch {
	case m.Regular != nil:
		return "regular"
	case m.Concurrent != nil:
		return "concurrent"
	case m.OnDisk != nil:
		return "ondisk"
	}
	return ""
}

// ReplicaInvariant must hold for every replica in the end.
type ReplicaInvariant struct {
	Name string
	// Check gets what the machine's factory returned.
	Check func(machine any) error
}

// Application is what a user brings along. All but Machines may be absent.
type Application struct {
	// Machines are dealt out to the clusters in turn.
	Machines []Machine
	// Program, unless nil, runs on the hosts in place of the bundled one. The state
	// machines are its own, and there are no Machines.
	Program    sim.Program
	Operations func(*Queries) workload.Operations
	// Keyed says that the operations are recorded as those of a key-value store.
	Keyed bool
	// Digest returns the state of a replica as text; equal for equal states.
	Digest   func(machine any) string
	Replicas []ReplicaInvariant
	// Broken returns the invariants of answers that were found broken so far, and
	// how many answers were looked at. nil: there are no such invariants.
	Broken func() (broken []invariant.Broken, looked int64)
}

// Place is where in the world clients are.
type Place struct {
	Hosts []world.Host
	Seed  uint64
	Dial  func(ctx context.Context, address string) (net.Conn, error)
}

// Clients are Operations that are carried out by clients of their own.
type Clients interface {
	// Enter is called once, before the first operation is drawn, and Leave after
	// the last one has ended.
	Enter(Place)
	Leave() error
}

// OfProgram is the name of the application that the clusters of a Program have.
const OfProgram = "application"

// Of returns the machine that runs on a cluster.
func (a *Application) Of(cluster uint64) Machine {
	if len(a.Machines) == 0 {
		return Machine{Name: OfProgram}
	}
	return a.Machines[cluster%uint64(len(a.Machines))]
}

// Replicas are the state machines of one run.
type Replicas struct {
	app        *Application
	queries    *Queries
	comparison *statemachine.Comparison
	crossings  statemachine.Crossings

	mu  sync.Mutex
	all map[replicaID]*replica // the newest of each node
}

type replicaID struct{ cluster, node uint64 }

// NewReplicas makes the state machines of a run, of which none exists yet.
func NewReplicas(a *Application, q *Queries) *Replicas {
	return &Replicas{app: a, queries: q, comparison: statemachine.NewComparison(), all: map[replicaID]*replica{}}
}

// Comparison compares the results of replicas.
func (r *Replicas) Comparison() *statemachine.Comparison { return r.comparison }

// Crossings counts the snapshots that another version reads than wrote them.
func (r *Replicas) Crossings() *statemachine.Crossings { return &r.crossings }

// Registry returns the applications for the agent of one NodeHost, whose machines
// take time by the clock.
func (r *Replicas) Registry(e sim.Environment, clock *statemachine.Clock) map[string]agent.Application {
	registry := map[string]agent.Application{}
	for _, m := range r.app.Machines {
		registry[m.Name] = r.application(m.in(e.Version), e, clock)
	}
	return registry
}

func (r *Replicas) application(m Machine, e sim.Environment, clock *statemachine.Clock) agent.Application {
	switch {
	case m.Regular != nil:
		return agent.Application{Regular: func(cluster, node uint64) sm.IStateMachine {
			user := m.Regular(cluster, node)
			return &regular{replica: r.new(contract.Regular, cluster, node, user, e, clock), machine: user}
		}}
	case m.Concurrent != nil:
		return agent.Application{Concurrent: func(cluster, node uint64) sm.IConcurrentStateMachine {
			user := m.Concurrent(cluster, node)
			return &concurrent{replica: r.new(contract.Concurrent, cluster, node, user, e, clock), machine: user}
		}}
	}
	dirOf := func(cluster, node uint64) string {
		return e.FS.PathJoin(e.Dir, fmt.Sprintf("cluster-%d-node-%d", cluster, node))
	}
	return agent.Application{
		OnDisk: func(cluster, node uint64) sm.IOnDiskStateMachine {
			dir := dirOf(cluster, node)
			user := m.OnDisk(e.FS, dir)(cluster, node)
			return &onDisk{replica: r.new(contract.OnDisk, cluster, node, user, e, clock), machine: user, makeDir: func() error { return makeDir(e.FS, dir) }}
		},
		RemoveData: func(cluster, node uint64) error { return journal.Remove(e.FS, dirOf(cluster, node)) },
	}
}

// makeDir makes a folder that survives a loss of power.
func makeDir(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	if err := fs.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	parent, err := fs.OpenDir(fs.PathDir(dir))
	if err != nil {
		return err
	}
	defer parent.Close()
	return parent.Sync()
}

func (r *Replicas) new(kind contract.Kind, cluster, node uint64, user any, e sim.Environment, clock *statemachine.Clock) *replica {
	r.mu.Lock()
	defer r.mu.Unlock()
	x := &replica{of: r, id: replicaID{cluster, node}, user: user, version: e.Version, clock: clock, calls: contract.Watch(kind, cluster, node)}
	r.all[x.id] = x
	return x
}

// of returns the newest state machine of a node.
func (r *Replicas) of(cluster, node uint64) *replica {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[replicaID{cluster, node}]
}

// Digest returns the digest of a node's state, and how many entries it has
// applied; false: there is none.
func (r *Replicas) Digest(cluster, node uint64) (sum string, applied uint64, ok bool) {
	x := r.of(cluster, node)
	if x == nil {
		return "", 0, false
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	switch hash, has := x.user.(sm.IHash); {
	case r.app.Digest != nil:
		sum, ok = r.app.Digest(x.user), true
	case has:
		n, err := hash.GetHash()
		sum, ok = fmt.Sprintf("%016x", n), err == nil
	}
	return sum, x.applied, ok
}

// HasDigests reports whether states can be compared: there is a Digest, or every
// machine that was made has GetHash.
func (r *Replicas) HasDigests() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, x := range r.all {
		if _, has := x.user.(sm.IHash); !has && r.app.Digest == nil {
			return false
		}
	}
	return len(r.all) > 0
}

// Broken looks at a node by every invariant of replicas.
func (r *Replicas) Broken(cluster, node uint64, host string) []invariant.Broken {
	x := r.of(cluster, node)
	if x == nil {
		return nil
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	var broken []invariant.Broken
	for _, i := range r.app.Replicas {
		if err := i.Check(x.user); err != nil {
			broken = append(broken, invariant.Broken{Name: i.Name, Cluster: cluster, Node: node, Host: host, Text: err.Error()})
		}
	}
	return broken
}

// Validate says what is wrong with an application.
func (a *Application) Validate() error {
	if len(a.Machines) == 0 && a.Program == nil {
		return fmt.Errorf("there is no state machine")
	}
	names := map[string]bool{}
	for _, m := range a.Machines {
		if m.Kind() == "" {
			return fmt.Errorf("the state machine %q has no factory", m.Name)
		}
		if names[m.Name] {
			return fmt.Errorf("two state machines are called %q", m.Name)
		}
		names[m.Name] = true
		if next := m.Upgraded; next != nil && next.Kind() != m.Kind() {
			return fmt.Errorf("the state machine %q is of the kind %s, and %q when it is upgraded: its disk would be of no use", m.Name, m.Kind(), next.Kind())
		}
	}
	return nil
}

// HasVersions reports whether hosts that are upgraded run something else than before,
// as far as that can be known: a program is told its version.
func (a *Application) HasVersions() bool {
	return a.Program != nil || slices.ContainsFunc(a.Machines, func(m Machine) bool { return m.Upgraded != nil })
}

// Sorted puts machines in order of their names.
func Sorted(machines []Machine) []Machine {
	return slices.SortedFunc(slices.Values(machines), func(a, b Machine) int { return cmp.Compare(a.Name, b.Name) })
}

// Kinds names the kinds of the machines, each once.
func (a *Application) Kinds() string {
	var kinds []string
	for _, m := range a.Machines {
		if !slices.Contains(kinds, m.Kind()) {
			kinds = append(kinds, m.Kind())
		}
	}
	return strings.Join(kinds, ", ")
}
