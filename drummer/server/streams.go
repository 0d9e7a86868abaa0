// SPDX-License-Identifier: Apache-2.0

package server

import (
	"maps"
	"slices"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// hostStream is the way down to one NodeHost. Anybody may add to it; the
// handler of the stream takes.
type hostStream struct {
	closed chan struct{} // by a newer stream of the same host
	wake   chan struct{} // capacity 1

	// told is when the host was last asked for its full state, or said it by
	// itself at the beginning. The reign's mu guards it.
	told time.Time

	mu       sync.Mutex
	outgoing []*pb.ServerMessage
	pinged   bool // a ping is already among outgoing
}

func newHostStream() *hostStream {
	return &hostStream{closed: make(chan struct{}), wake: make(chan struct{}, 1), told: time.Now()}
}

// isReplaced tells whether a newer stream of the same host has come.
func (h *hostStream) isReplaced() bool {
	select {
	case <-h.closed:
		return true
	default:
		return false
	}
}

// add queues a message. Pings don't pile up behind a host that is slow to take
// them; requests are bounded by the operations in flight.
func (h *hostStream) add(message *pb.ServerMessage) {
	h.mu.Lock()
	if message.GetPing() != nil {
		if h.pinged {
			h.mu.Unlock()
			return
		}
		h.pinged = true
	}
	h.outgoing = append(h.outgoing, message)
	h.mu.Unlock()
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

func (h *hostStream) take() []*pb.ServerMessage {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := h.outgoing
	h.outgoing, h.pinged = nil, false
	return out
}

// join registers a host's stream; an older one of the same host ends.
func (r *reign) join(host string) *hostStream {
	stream := newHostStream()
	r.mu.Lock()
	defer r.mu.Unlock()
	if older := r.streams[host]; older != nil {
		close(older.closed)
	}
	r.streams[host] = stream
	return stream
}

func (r *reign) leave(host string, stream *hostStream) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.streams[host] == stream {
		delete(r.streams, host)
	}
}

// send queues a message for a host, if it has a stream.
func (r *reign) send(host string, message *pb.ServerMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if stream := r.streams[host]; stream != nil {
		stream.add(message)
	}
}

func (r *reign) sendAll(message *pb.ServerMessage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, stream := range r.streams {
		stream.add(message)
	}
}

// auditTicks is how often a host is asked for its full state, at most.
const auditTicks = 60

// audit asks one host for its full state, the one that was asked the longest
// ago, so that a difference between it and DrummerDB that no delta tells of
// heals by itself. A fleet of up to auditTicks hosts says everything once in so
// many ticks, a larger one as often as one host a tick comes to; what is known
// already is not written.
func (r *reign) audit() {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	var next string
	for host, stream := range r.streams {
		if now.Sub(stream.told) < auditTicks*r.server.config.Tick {
			continue
		}
		if next == "" || stream.told.Before(r.streams[next].told) || stream.told.Equal(r.streams[next].told) && host < next {
			next = host
		}
	}
	if next != "" {
		r.streams[next].told = now
		r.streams[next].add(&pb.ServerMessage{Body: &pb.ServerMessage_SendFullState{SendFullState: &pb.SendFullState{}}})
	}
}

// push sends an operation's request to its host. It carries the term of this
// reign, whoever decided it: an operation that is still in flight in DrummerDB
// is confirmed by every leader that sends it.
func (r *reign) push(op *pb.Operation) {
	request := proto.Clone(op.GetRequest()).(*pb.Request)
	request.OperationId = op.GetId()
	request.LeaderTerm = r.term
	r.send(request.GetNodehostId(), &pb.ServerMessage{Body: &pb.ServerMessage_Request{Request: request}})
}

// pushInFlight sends the operations that DrummerDB has in flight and that were
// decided at or after an index.
func (r *reign) pushInFlight(decidedSince uint64) {
	state, err := r.server.localState()
	if err != nil {
		return // nothing is lost: agents attach again when the reign ends
	}
	for _, op := range state.Operations.All() {
		if op.GetDecidedAtIndex() >= decidedSince {
			r.push(op)
		}
	}
}

// pushTo sends a host all its operations in flight.
func (r *reign) pushTo(host string) {
	state, err := r.server.localState()
	if err != nil {
		return
	}
	for _, op := range state.Operations.All() {
		if op.GetRequest().GetNodehostId() == host {
			r.push(op)
		}
	}
}

func sortedSet(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }
