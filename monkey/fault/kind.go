// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"encoding"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

// kind is a kind of fault. P is the struct of its own parameters, whose fields
// have the tags that are described at scenarios.Scenario; none is for a kind
// without any. All functions but validate run on the injector's goroutine, and
// only together may wait.
type kind[P any] struct {
	name, doc string
	class     scenarios.FaultClass
	colour    string // of its bands in reports and drawings, as in CSS
	effect    string // what counts as its effect, as result.json has it, with spaces between
	needs     scenarios.Capability
	down      bool // the host is down while it lasts; the injector boots it after the end
	waits     bool // with down: for something that the host does, and that may not come
	restarts  bool // with down: the host is started again at once, and is up while it lasts
	forever   bool // it may last permanently
	losesDisk bool // what the host held is lost, and so are its members, for good
	cutsOff   bool // peers can't count on the hosts while it lasts
	instant   bool // it lasts no time
	exact     bool // it takes an exact run
	boots     bool // it starts hosts that were not there before
	hampers   bool // while it lasts messages, disks or clocks are slow, or lose something, and nothing is down
	// untargeted: it strikes no host.
	untargeted bool

	// swarm says how a swarm draws it. Without targets it never does.
	swarm swarm[P]

	// validate reports mistakes that depend on several fields. Optional.
	validate func(s *scenarios.Scenario, f *scenarios.Fault, p P, report func(key, format string, args ...any))
	// hosts returns whom it strikes, given the targets in i.hosts. nil: those.
	hosts func(i *injection, p P) []string
	// sparesPeers reports whether all NodeHosts still reach each other, and all
	// Drummers, so that no Raft cluster can lose its quorum by it. nil: they may
	// not.
	sparesPeers func(p P) bool
	// begin does it to i.hosts. A kind that ends processes sets i.effect.
	begin func(i *injection, p P) error
	// together begins all injections of the kind that are due at one instant, in
	// place of begin: it strikes their hosts at one instant of the clock, and
	// returns the effect on each. It may wait for that instant.
	together func(w world.World, hosts ...string) ([]world.Effect, error)
	// again goes on with it while it lasts: it is called a time after begin, and then
	// a time after itself; 0: it is over before its time. nil: there is nothing to
	// go on with.
	again func(i *injection, p P) (time.Duration, error)
	// end undoes what begin did. nil: there is nothing to undo.
	end func(i *injection, p P) error
	// counts picks what is the fault's own of what happened to the hosts' traffic
	// while it lasted. nil: its effect is the one that the others set.
	counts func(traffic world.Effect) world.Effect
}

// swarm says how a swarm draws a kind.
type swarm[P any] struct {
	targets []string // one of these
	lasts   string   // how long, as in a file; empty: nothing lasts
	// parameters draws them; nil: the defaults.
	parameters func(rng *rand.Rand) P
	// bites reports whether it can have an effect in a scenario; nil: in any.
	bites func(s *scenarios.Scenario) bool
}

// none is for kinds without parameters.
type none struct{}

// behaviour is a kind without its type parameter.
type behaviour struct {
	scenarios.FaultKind
	colour      string
	hosts       func(i *injection) []string
	sparesPeers func(f *scenarios.Fault) bool
	begin       func(i *injection) error
	together    func(w world.World, hosts ...string) ([]world.Effect, error)
	cutsOff     bool
	restarts    bool
	boots       bool
	hampers     bool
	again       func(i *injection) (time.Duration, error) // nil: there is none
	end         func(i *injection) error
	counts      func(traffic world.Effect) world.Effect
}

var behaviours = map[string]behaviour{}

// register adds a kind to the catalogue, and to what scenario files may say.
func register[P any](k kind[P]) {
	b := behaviour{
		FaultKind: scenarios.FaultKind{Name: k.name, Doc: k.doc, Class: k.class, Needs: k.needs, Effect: strings.Fields(k.effect), Down: k.down, MayMiss: !k.down || k.waits, Exact: k.exact, Forever: k.forever, LosesDisk: k.losesDisk, Instant: k.instant, Untargeted: k.untargeted},
		colour:    k.colour, cutsOff: k.cutsOff, restarts: k.restarts, boots: k.boots, hampers: k.hampers, together: k.together, counts: k.counts,
	}
	if _, without := any(k).(kind[none]); !without {
		b.Parameters = *new(P)
	}
	if k.validate != nil {
		b.Validate = func(s *scenarios.Scenario, f *scenarios.Fault, report func(key, format string, args ...any)) {
			k.validate(s, f, parametersOf[P](f), report)
		}
	}
	if len(k.swarm.targets) > 0 {
		b.Draw, b.Bites = k.draw, k.swarm.bites
	}
	b.hosts = func(i *injection) []string { return i.hosts }
	if k.hosts != nil {
		b.hosts = func(i *injection) []string { return k.hosts(i, parametersOf[P](i.fault)) }
	}
	b.sparesPeers = func(f *scenarios.Fault) bool { return k.sparesPeers != nil && k.sparesPeers(parametersOf[P](f)) }
	b.begin = func(i *injection) error { return k.begin(i, parametersOf[P](i.fault)) }
	b.end = func(i *injection) error {
		if k.end == nil {
			return nil
		}
		return k.end(i, parametersOf[P](i.fault))
	}
	if k.again != nil {
		b.again = func(i *injection) (time.Duration, error) { return k.again(i, parametersOf[P](i.fault)) }
	}
	behaviours[k.name] = b
	scenarios.RegisterFault(b.FaultKind)
}

// draw draws what a swarm says of a fault of the kind.
func (k kind[P]) draw(rng *rand.Rand) scenarios.Fault {
	f := scenarios.Fault{Kind: k.name}
	mustRead(&f.Target, k.swarm.targets[rng.IntN(len(k.swarm.targets))])
	if k.swarm.lasts != "" {
		mustRead(&f.For, k.swarm.lasts)
	}
	if kind, _ := scenarios.FaultKindOf(k.name); kind.Parameters != nil {
		f.Parameters = kind.NewParameters()
		if k.swarm.parameters != nil {
			*f.Parameters.(*P) = k.swarm.parameters(rng)
		}
	}
	return f
}

// mustRead reads what a kind says in the form of a file. A wrong one is a mistake
// in this package, which its tests find.
func mustRead(v encoding.TextUnmarshaler, text string) {
	if err := v.UnmarshalText([]byte(text)); err != nil {
		panic(fmt.Sprintf("fault: %v", err))
	}
}

// parametersOf returns the parameters of a fault; zero ones if it has none.
func parametersOf[P any](f *scenarios.Fault) P {
	if p, ok := f.Parameters.(*P); ok {
		return *p
	}
	return *new(P)
}

// Colour is the CSS colour in which a kind of fault is drawn; empty for a kind
// that does not exist.
func Colour(name string) string { return behaviours[name].colour }

// injection is one step of a plan while it is carried out.
type injection struct {
	id      int
	fault   *scenarios.Fault
	targets []string // as the scenario says, at that moment
	hosts   []string // whom it strikes: the targets, unless the kind has others
	// cluster is the Raft cluster by whose members the hosts were found, or that
	// a moment was about; 0: none.
	cluster uint64
	began   time.Time     // for a kind that measures by time
	first   time.Duration // from begin to the first again
	world   world.World
	log     Log
	links   *links
	rng     *rand.Rand // draws what the kind leaves to chance
	undo    []func()   // for undoAll
	strikes []func()   // what a kind that waits in again has yet to do
	// asked is what it asks the operator for, chosen the Raft clusters that it is about.
	operations *operations
	asked      asked
	chosen     []uint64
	gone       map[string]bool // the injector's hosts that never come back
	// effect is what it did.
	effect world.Effect
}

// endProcesses ends the processes of the injection's hosts in one of the
// world's ways.
func (i *injection) endProcesses(end func(host string) (world.Effect, error)) error {
	for _, h := range i.hosts {
		effect, err := end(h)
		i.effect = i.effect.Add(effect)
		if err != nil {
			return err
		}
	}
	return nil
}

// restart kills the processes of those of the injection's hosts that run, and boots
// these hosts. What another fault keeps down stays so.
func (i *injection) restart() error {
	running := slices.DeleteFunc(slices.Clone(i.hosts), func(h string) bool { return !i.world.Running(h) })
	for _, h := range running {
		effect, err := i.world.Kill(h)
		i.effect = i.effect.Add(effect)
		if err != nil {
			return err
		}
	}
	for _, h := range running {
		bootHost(i.world, i.log, h)
	}
	return nil
}

// bootHost starts the processes of a host, and reports whether they start. Ones that
// don't start on what their disk holds are a finding, which it records.
func bootHost(w world.World, log Log, host string) bool {
	if err := w.Boot(host); err != nil {
		log.Add(timeline.BootFailed{Host: host, Error: err.Error()})
		return false
	}
	return true
}

// degrade lays q on the links between the injection's hosts and far: those
// out of the hosts, those into them, or both.
func (i *injection) degrade(far []string, q world.Link, out, in bool) error {
	for _, h := range i.hosts {
		for _, f := range far {
			if out {
				if err := i.links.add(i.id, h, f, q); err != nil {
					return err
				}
			}
			if in {
				if err := i.links.add(i.id, f, h, q); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// restore takes what the injection laid on links away.
func (i *injection) restore() error { return i.links.remove(i.id) }

// undoAll undoes what begin has left in i.undo.
func (i *injection) undoAll() error {
	for _, undo := range i.undo {
		undo()
	}
	return nil
}

// others lists the hosts that are none of the injection's and for which keep
// holds.
func (i *injection) others(keep func(h world.Host) bool) []string {
	rest := []string{}
	for _, h := range i.world.Hosts() {
		if !slices.Contains(i.hosts, h.Name) && keep(h) {
			rest = append(rest, h.Name)
		}
	}
	return rest
}

// everybody lists the clients' place in the network and all hosts but the
// injection's.
func (i *injection) everybody() []string {
	return append([]string{world.Clients}, i.others(anyHost)...)
}

func anyHost(world.Host) bool      { return true }
func isNodeHost(h world.Host) bool { return h.Role == world.NodeHost }

// String names an injection in errors.
func (i *injection) String() string {
	return fmt.Sprintf("fault %d (%s on %v)", i.id, i.fault.Kind, i.hosts)
}

// everyHost are targets of a swarm: any host, and those that lead.
var everyHost = []string{"nodehost", "nodehost", "drummer", "cluster-leader", "drummer-leader"}
