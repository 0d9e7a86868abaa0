// SPDX-License-Identifier: Apache-2.0

package sim

import (
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lni/dragonboat/v3"
	"github.com/lni/dragonboat/v3/config"
	"github.com/lni/dragonboat/v3/raftio"

	pb "github.com/lni/dragonboat/v3/raftpb"

	"github.com/drumbeat-raft/drumbeat/monkey/sim/raftstate"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// SetTicks implements world.Processes. Dragonboat's tick is its RTTMillisecond, which
// it takes when it starts.
func (w *World) SetTicks(name string, ticks world.Ticks) error {
	h, err := w.host(name)
	if err != nil {
		return err
	}
	if ticks.Speed <= 0 || ticks.Burst < 1 {
		return fmt.Errorf("ticks of host %s can't be %v times as fast as they should be, %d at once", name, ticks.Speed, ticks.Burst)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ticks = ticks
	return nil
}

// Tick implements world.Processes.
func (w *World) Tick() time.Duration { return w.cfg.RTT }

// tickOf is the RTTMillisecond of the process that is booted on a host. Where ticks
// come in bursts it is the time between two of these: Dragonboat itself makes one tick
// of each burst.
func (w *World) tickOf(h *host) uint64 {
	tick := float64(w.cfg.RTT / time.Millisecond)
	if h.ticks.Speed > 0 {
		tick /= h.ticks.Speed
	}
	return max(1, uint64(tick+0.5)) * uint64(h.burst())
}

// burst is how many ticks come at once in processes that are booted on the host.
func (h *host) burst() int { return max(1, h.ticks.Burst) }

// transport is the network of a host's present process, by which the ticks arrive that
// make bursts of Dragonboat's own. The caller holds h.mu.
func (w *World) transport(h *host) config.TransportFactory {
	h.bursts = nil
	factory := w.net.Transport(h.Name)
	if h.burst() == 1 {
		return factory
	}
	h.bursts = &bursts{TransportFactory: factory, host: h, tick: w.tickOf(h), size: h.burst()}
	return h.bursts
}

// bursts makes the ticks of one process come in bursts. It is the factory of that
// process's transport.
type bursts struct {
	config.TransportFactory
	host     *host
	tick     uint64 // RTTMillisecond
	size     int
	nodehost atomic.Pointer[dragonboat.NodeHost] // set when it has started
}

// Create makes a transport that makes bursts of ticks while it is started. A program
// that has a tick of its own keeps that.
func (b *bursts) Create(c config.NodeHostConfig, messages raftio.MessageHandler, chunks raftio.ChunkHandler) raftio.ITransport {
	t := b.TransportFactory.Create(c, messages, chunks)
	if c.RTTMillisecond != b.tick {
		return t
	}
	return &burstTransport{ITransport: t, bursts: b, messages: messages, deployment: c.GetDeploymentID(), quit: make(chan struct{})}
}

// burstTransport is the transport of a NodeHost whose ticks come in bursts. As often as
// Dragonboat ticks, it adds the ticks that should have come since.
type burstTransport struct {
	raftio.ITransport
	*bursts
	messages   raftio.MessageHandler
	deployment uint64
	quit       chan struct{}
	ticking    sync.WaitGroup
}

// Start implements raftio.ITransport. Dragonboat's own ticks begin at the same instant.
func (t *burstTransport) Start() error {
	if err := t.ITransport.Start(); err != nil {
		return err
	}
	t.ticking.Go(t.run)
	return nil
}

// Stop implements raftio.ITransport.
func (t *burstTransport) Stop() {
	close(t.quit)
	t.ticking.Wait()
	t.ITransport.Stop()
}

func (t *burstTransport) run() {
	ticker := time.NewTicker(time.Duration(t.bursts.tick) * time.Millisecond)
	defer ticker.Stop()
	for number := uint64(1); ; number++ {
		select {
		case <-ticker.C:
			t.burst(number)
		case <-t.quit:
			return
		}
	}
}

// burst adds to Dragonboat's tick of a number those that make it a burst. Raft counts
// all of them. Requests take the number for the time, and expire when they should.
func (t *burstTransport) burst(number uint64) {
	nodehost := t.nodehost.Load()
	if nodehost == nil {
		return
	}
	nodes, err := raftstate.Read(nodehost)
	if err != nil || len(nodes) == 0 {
		return
	}
	batch := pb.MessageBatch{DeploymentId: t.deployment, BinVer: raftio.TransportBinVersion}
	for _, n := range nodes {
		for range t.size - 1 {
			batch.Requests = append(batch.Requests, pb.Message{Type: pb.LocalTick, ClusterId: n.ClusterID, To: n.NodeID, From: n.NodeID, Hint: number})
		}
	}
	t.messages(batch)
	t.host.ticksHeld.Add(int64(t.size - 1))
}
