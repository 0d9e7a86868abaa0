// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"cmp"
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/monkey/latency"
)

// Limits of the simulated kernels.
const (
	// dialTimeout bounds how long Dragonboat's transport waits for a connection.
	dialTimeout = 5 * time.Second
	// stallTimeout is when a connection whose bytes do not arrive is reset, and
	// when a dial without a deadline gives up.
	stallTimeout = 30 * time.Second
	// retransmit is the first wait of TCP before it sends lost bytes again; it
	// doubles each time.
	retransmit = 200 * time.Millisecond
	// window is how many bytes of a stream may be under way or unread.
	window = 64 << 10
)

// Network is a set of hosts and the links between them. All methods are safe
// for concurrent use and none blocks, but for those that say so.
type Network struct {
	seed    uint64
	latency func(from, to string) latency.Distribution
	slot    time.Duration
	watch   func(string, []pb.Message)
	sent    func(string, []pb.Message)
	chunk   func(string, *pb.Chunk)
	epoch   time.Time
	buffers sync.Pool      // *[]byte, for marshalling
	pumps   sync.WaitGroup // timers' functions at work

	mu      sync.Mutex // guards everything below and all that belongs to it
	hosts   map[string]*machine
	links   map[pair]*link
	lastID  uint64 // given to a conn or a pipe
	agenda  agenda
	changed chan struct{} // closed and replaced when a link or a host changes
	closed  bool
	astray  []string // see Astray
}

type pair struct{ from, to string }

// machine is a host. Its process is the present incarnation, dead or alive.
type machine struct {
	name   string
	silent bool // without power: answers nothing
	proc   *process
}

// process is an incarnation of what runs on a host. Once dead it stays so.
type process struct {
	host       *machine
	dead       chan struct{} // closed when it dies
	ended      bool          // it is
	diedAt     time.Duration // set when dead is closed
	busyUntil  time.Duration // what it sends leaves no earlier
	transports map[string]*transport
	listeners  map[string]*listener
	conns      map[uint64]*conn // by id
}

// Config is what a Network is made from. The zero value is a network on which
// nothing takes time.
type Config struct {
	Seed uint64
	// Latency is how long what is sent from one host to another is under way,
	// besides what a Link adds. It is called once for each link. nil: no time.
	Latency func(from, to string) latency.Distribution
	// Slot rounds the instants at which things arrive up to multiples of it,
	// counted from New. 0: they are not rounded.
	Slot time.Duration
	// Watch, unless nil, is called with all Raft messages that have arrived at a
	// host, before their receiver gets them, and may keep nothing of them. It is
	// called by many goroutines at once.
	Watch func(host string, messages []pb.Message)
	// WatchSent, unless nil, is called in the same way with all that a live process
	// on a host sends, whatever becomes of it.
	WatchSent func(host string, messages []pb.Message)
	// WatchChunk, unless nil, is called in the same way with each chunk of a snapshot
	// that has arrived at a host.
	WatchChunk func(host string, chunk *pb.Chunk)
}

// New makes a network without any host. Close it when it is no longer used.
func New(c Config) *Network {
	if c.Latency == nil {
		c.Latency = func(string, string) latency.Distribution { return latency.Distribution{} }
	}
	return &Network{
		seed:    c.Seed,
		latency: c.Latency,
		slot:    c.Slot,
		watch:   c.Watch,
		sent:    c.WatchSent,
		chunk:   c.WatchChunk,
		epoch:   time.Now(),
		buffers: sync.Pool{New: func() any { return new([]byte) }},
		hosts:   map[string]*machine{},
		links:   map[pair]*link{},
		changed: make(chan struct{}),
	}
}

// Close ends every process and returns when no message is being handed over
// any more.
func (n *Network) Close() {
	n.mu.Lock()
	n.closed = true
	for _, name := range slices.Sorted(maps.Keys(n.hosts)) {
		n.end(n.hosts[name], false)
	}
	if n.agenda.timer != nil {
		n.agenda.timer.Stop()
	}
	n.agenda.arrivals = nil
	n.mu.Unlock()
	n.pumps.Wait()
}

// Up begins a new incarnation of a host. What was obtained for the host before
// belongs to the old one and is dead from now on, as after a kill if it was
// not yet; connections that peers still hold to it are answered with a reset.
func (n *Network) Up(name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.host(name)
	n.end(h, true)
	h.silent = false
	h.proc = newProcess(h)
	n.wake()
}

// Down ends the process of a host at this instant, with all its listeners,
// connections and transports. With reset the peers are told, as the kernel of
// a killed process does; without it the whole machine falls silent, and peers
// learn of it from what they send after the next Up. On a host that is down
// already only the silence is new.
func (n *Network) Down(name string, reset bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	h := n.host(name)
	n.end(h, reset)
	h.silent = h.silent || !reset
	n.wake()
}

// end kills the process of h if it is alive.
func (n *Network) end(h *machine, reset bool) {
	p := h.proc
	if p.isDead() {
		return
	}
	p.ended = true
	p.diedAt = n.now()
	close(p.dead)
	for _, address := range slices.Sorted(maps.Keys(p.listeners)) {
		p.listeners[address].abandon()
	}
	for _, c := range p.connsInOrder() {
		c.orphan(reset)
	}
}

// newID numbers connections and pipes. Maps are keyed by these numbers instead
// of by pointers, so that no order depends on addresses.
func (n *Network) newID() uint64 {
	n.lastID++
	return n.lastID
}

// host finds a host or makes it, with a process that is alive.
func (n *Network) host(name string) *machine {
	h := n.hosts[name]
	if h == nil {
		h = &machine{name: name}
		h.proc = newProcess(h)
		n.hosts[name] = h
		if n.closed {
			h.proc.ended = true
			close(h.proc.dead)
		}
	}
	return h
}

// process returns the present incarnation of a host.
func (n *Network) process(name string) *process {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.host(name).proc
}

func newProcess(h *machine) *process {
	return &process{
		host:       h,
		dead:       make(chan struct{}),
		transports: map[string]*transport{},
		listeners:  map[string]*listener{},
		conns:      map[uint64]*conn{},
	}
}

// connsInOrder lists the open connections by their age.
func (p *process) connsInOrder() []*conn {
	return slices.SortedFunc(maps.Values(p.conns), func(a, b *conn) int { return cmp.Compare(a.id, b.id) })
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// wake lets everybody who waits for a way through look again.
func (n *Network) wake() {
	close(n.changed)
	n.changed = make(chan struct{})
	for _, name := range slices.Sorted(maps.Keys(n.hosts)) {
		for _, c := range n.hosts[name].proc.connsInOrder() {
			c.recheck()
		}
	}
}

// link finds the link between two hosts or makes it.
func (n *Network) link(from, to string) *link {
	p := pair{from, to}
	l := n.links[p]
	if l == nil {
		h := fnv.New64a()
		fmt.Fprintf(h, "%q %q", from, to)
		var base latency.Distribution
		if from != to {
			base = n.latency(from, to)
		}
		l = &link{net: n, pair: p, base: base, rng: rand.New(rand.NewPCG(n.seed, h.Sum64())), pipes: map[uint64]*pipe{}}
		n.links[p] = l
	}
	return l
}

// passes reports whether packets go both ways between two hosts that have power.
func (n *Network) passes(a, b *machine) bool {
	return !a.silent && !b.silent && !n.link(a.name, b.name).blocked() && !n.link(b.name, a.name).blocked()
}

// now is the time on the network's own scale.
func (n *Network) now() time.Duration { return time.Since(n.epoch) }

// hostOf returns the host part of an address.
func hostOf(addr string) (string, bool) {
	i := strings.LastIndexByte(addr, ':')
	if i <= 0 || i == len(addr)-1 {
		return "", false
	}
	return addr[:i], true
}
