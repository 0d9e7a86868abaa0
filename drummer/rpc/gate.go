// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"context"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// decoders is how many large messages are decoded at one time. A thousand NodeHosts that
// attach to a new leader at once would else keep its processors from Raft's own
// goroutines for seconds, and cost it the leadership. A message of bytesOfDecoder counts
// as two, and so on: of the largest, what is made of them is there once at a time.
const (
	decoders       = 4
	bytesOfDecoder = 4 << 20
)

// gate counts what the callers of a server make it hold, and refuses what is over its
// limits. It is safe for concurrent use.
type gate struct {
	limits   Limits
	decoding *semaphore.Weighted // of decoders

	mu      sync.Mutex
	calls   int
	bytes   int64
	peers   map[string]*usage // of callers that have calls
	waiting []*waiter         // in the order of their coming
	refused uint64
}

type usage struct {
	calls int
	bytes int64
}

// waiter waits for bytes; granted is closed, under the gate's lock, when it has them.
type waiter struct {
	peer    *usage
	bytes   int64
	granted chan struct{}
}

// newGate returns a gate with these limits, which are complete.
func newGate(limits Limits) *gate {
	return &gate{limits: limits, decoding: semaphore.NewWeighted(decoders), peers: map[string]*usage{}}
}

func (g *gate) refusals() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refused
}

// enter lets a call of a peer in, or refuses it at once. The caller calls leave.
func (g *gate) enter(name string) (*usage, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	peer := g.peers[name]
	if peer == nil {
		peer = &usage{}
	}
	switch {
	case peer.calls >= g.limits.PeerCalls:
		return nil, g.refuse("%s has %d calls under way, the most that one caller may have (limits.peer_calls); wait for some of them, and try again", name, peer.calls)
	case g.calls >= g.limits.Calls:
		return nil, g.refuse("%d calls are under way, the most that this server takes (limits.calls); try again later, each time after a longer wait", g.calls)
	}
	g.calls++
	peer.calls++
	g.peers[name] = peer
	return peer, nil
}

func (g *gate) leave(name string, peer *usage) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls--
	if peer.calls--; peer.calls == 0 {
		delete(g.peers, name)
	}
}

// acquire waits until a peer may hold that many bytes more, for waitForRoom at most.
func (g *gate) acquire(ctx context.Context, peer *usage, bytes int64) error {
	g.mu.Lock()
	if len(g.waiting) == 0 && g.fits(peer, bytes) {
		g.take(peer, bytes)
		g.mu.Unlock()
		return nil
	}
	w := &waiter{peer, bytes, make(chan struct{})}
	g.waiting = append(g.waiting, w)
	g.grant()
	g.mu.Unlock()
	return g.wait(ctx, w)
}

func (g *gate) wait(ctx context.Context, w *waiter) error {
	timer := time.NewTimer(waitForRoom)
	defer timer.Stop()
	select {
	case <-w.granted:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, w)
	if i < 0 {
		return nil // granted meanwhile
	}
	g.waiting = slices.Delete(g.waiting, i, i+1)
	g.grant() // it may have been in the way of others
	if err := ctx.Err(); err != nil {
		return status.FromContextError(err).Err()
	}
	return g.refuse("there was no room for a message within %v: %d bytes of this caller's are being worked on and %d of all callers, of %d and %d that are allowed (limits.peer_bytes, limits.bytes); send less at one time, and try again after a wait",
		waitForRoom, w.peer.bytes, g.bytes, g.limits.PeerBytes, g.limits.Bytes)
}

// release gives bytes back.
func (g *gate) release(peer *usage, bytes int64) {
	if bytes == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.bytes -= bytes
	peer.bytes -= bytes
	g.grant()
}

// fits reports whether there is room. A single message always fits where nothing
// else is. g.mu is held, here and below.
func (g *gate) fits(peer *usage, bytes int64) bool {
	return peer.bytes+bytes <= g.limits.PeerBytes && g.bytes+bytes <= g.limits.Bytes
}

func (g *gate) take(peer *usage, bytes int64) {
	g.bytes += bytes
	peer.bytes += bytes
}

// grant lets in who waits, in order. g.mu is held. A peer that has used up its own part is passed
// over; when all is used up nobody is, so that large messages get their turn.
func (g *gate) grant() {
	for i := 0; i < len(g.waiting); i++ {
		w := g.waiting[i]
		if w.peer.bytes+w.bytes > g.limits.PeerBytes {
			continue
		}
		if g.bytes+w.bytes > g.limits.Bytes {
			return
		}
		g.take(w.peer, w.bytes)
		close(w.granted)
		g.waiting = slices.Delete(g.waiting, i, i+1)
		i--
	}
}

// tooSlow is the refusal of a message that did not arrive in time.
func (g *gate) tooSlow(size int) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.refuse("a message of %d bytes did not arrive within %v; send it in parts, or over a faster network", size, receiveTimeout)
}

func (g *gate) refuse(format string, args ...any) error {
	g.refused++
	return status.Errorf(codes.ResourceExhausted, "refused: "+format, args...)
}
