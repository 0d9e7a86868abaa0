// SPDX-License-Identifier: Apache-2.0

package server

import (
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// hostStream is the way down to one NodeHost. Anybody may add to it; the
// handler of the stream takes.
type hostStream struct {
	address string        // the host's RaftAddress
	closed  chan struct{} // by a newer stream of the same host
	wake    chan struct{} // capacity 1
	// heard is set by a heartbeat, until the leadership has noted it.
	heard atomic.Bool
	began time.Time
	spoke atomic.Int64  // when the host last said anything: nanoseconds since began
	disk  atomic.Uint64 // the generation of the host's disk, as it last said; 0: it does not say

	// stated is set once the Hello of this stream is in DrummerDB. The leadership's mu
	// guards it.
	stated bool
	// told is when the host was last asked for its full state, or said it by
	// itself at the beginning. The leadership's mu guards it.
	told time.Time

	mu       sync.Mutex
	outgoing []*pb.ServerMessage
	pinged   bool // a ping is already among outgoing
}

func newHostStream(address string) *hostStream {
	now := time.Now()
	return &hostStream{address: address, closed: make(chan struct{}), wake: make(chan struct{}, 1), began: now, told: now}
}

// hear notes that the host has said something. heartbeat is nil when that is anything
// else.
func (h *hostStream) hear(heartbeat *pb.Heartbeat) {
	h.spoke.Store(int64(time.Since(h.began)))
	if heartbeat != nil {
		h.disk.Store(heartbeat.GetDiskGeneration())
		h.heard.Store(true)
	}
}

// silence is how long the host has said nothing.
func (h *hostStream) silence() time.Duration {
	return time.Since(h.began) - time.Duration(h.spoke.Load())
}

// isReplaced reports whether a newer stream of the same host has come.
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

// join registers a host's stream; an older one of the same host ends. One that comes
// from another RaftAddress than the older one is none of that host's: join returns nil
// then, and where the host lives.
func (l *leadership) join(host, address string) (stream *hostStream, owner string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if older := l.streams[host]; older != nil {
		if older.address != address {
			return nil, older.address
		}
		close(older.closed)
		l.noteDisk(host, older)
	}
	stream = newHostStream(address)
	l.streams[host] = stream
	return stream, address
}

func (l *leadership) leave(host string, stream *hostStream) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.streams[host] == stream {
		delete(l.streams, host)
		l.noteDisk(host, stream)
	}
}

// noteHeartbeats notes which hosts were heard of by a heartbeat. It is no fact for the
// loop to wake up for: of a thousand hosts one comes every millisecond.
func (l *leadership) noteHeartbeats() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for host, stream := range l.streams {
		if stream.heard.Swap(false) {
			l.heard[host], l.met[host] = l.window, true
			l.noteDisk(host, stream)
		}
	}
}

// send queues a message for a host, if it has a stream.
func (l *leadership) send(host string, message *pb.ServerMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stream := l.streams[host]; stream != nil {
		stream.add(message)
	}
}

// askForFullState asks a host for its full state, unless that is on its way: the Hello of
// its stream waits for its turn.
func (l *leadership) askForFullState(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if stream := l.streams[host]; stream != nil && stream.stated {
		stream.add(&pb.ServerMessage{Body: &pb.ServerMessage_SendFullState{SendFullState: &pb.SendFullState{}}})
	}
}

// markStated notes that the full states among facts are in DrummerDB.
func (l *leadership) markStated(facts []fact) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range facts {
		if f.report.GetFull() {
			f.stream.stated = true
		}
	}
}

func (l *leadership) sendAll(message *pb.ServerMessage) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, stream := range l.streams {
		stream.add(message)
	}
}

// auditTicks is how often a host is asked for its full state, at most.
const auditTicks = 60

// audit asks one host for its full state, the one that was asked the longest
// ago, so that a difference between it and DrummerDB that no delta mentions
// is corrected without help. A fleet of up to auditTicks hosts says everything once in so
// many ticks, a larger one as often as one host a tick comes to; what is known
// already is not written.
func (l *leadership) audit() {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	var next string
	for host, stream := range l.streams {
		if now.Sub(stream.told) < auditTicks*l.server.config.Tick {
			continue
		}
		if next == "" || stream.told.Before(l.streams[next].told) || stream.told.Equal(l.streams[next].told) && host < next {
			next = host
		}
	}
	if next != "" {
		l.audited = next
		l.streams[next].told = now
		l.streams[next].add(&pb.ServerMessage{Body: &pb.ServerMessage_SendFullState{SendFullState: &pb.SendFullState{}}})
	}
}

// push sends an operation's request to its host. It carries the term of this
// leadership, whoever decided it: an operation that is still in flight in DrummerDB
// is confirmed by every leader that sends it.
func (l *leadership) push(op *pb.Operation) {
	request := proto.Clone(op.GetRequest()).(*pb.Request)
	request.OperationId = op.GetId()
	request.LeaderTerm = l.term
	l.send(request.GetNodehostId(), &pb.ServerMessage{Body: &pb.ServerMessage_Request{Request: request}})
}

// pushNew sends the operations that came into flight since the last time, whatever
// became of the answer to the proposal that brought them. A host that is not
// attached is sent all of its own when it attaches.
func (l *leadership) pushNew(state *db.State) {
	if state.NextOperationID == l.pushed {
		return
	}
	for id, op := range state.Operations.All() {
		if id >= l.pushed {
			l.push(op)
		}
	}
	l.pushed = state.NextOperationID
}

// pushTo sends a host all its operations in flight.
func (l *leadership) pushTo(host string) {
	state, err := l.server.localState()
	if err != nil {
		return
	}
	for _, op := range state.Operations.All() {
		if op.GetRequest().GetNodehostId() == host {
			l.push(op)
		}
	}
}
