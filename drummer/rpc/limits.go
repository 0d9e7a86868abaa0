// SPDX-License-Identifier: Apache-2.0

package rpc

import (
	"fmt"
	"time"
)

const (
	// streamWindow is what a caller can send of a call before the call is let in, in
	// bytes. It must stay fixed: gRPC would let it grow on fast networks.
	streamWindow = 64 << 10
	// connWindow is what is on its way on one connection, in bytes.
	connWindow = 1 << 20
	// smallMessage is the largest message that takes no room, in bytes: it fits into
	// the window.
	smallMessage = streamWindow - messageHeader
	// waitForRoom is how long a call waits for others to end before it is refused.
	waitForRoom = 5 * time.Second
	// receiveTimeout bounds how long a large message may take to arrive once room was
	// made for it.
	receiveTimeout = 40 * time.Second

	defaultBytes       = 128 << 20
	defaultPeerBytes   = 64 << 20
	defaultCalls       = 8192
	defaultPeerCalls   = 2048
	defaultConnections = 4096
)

// Limits bound what the callers of a gRPC server can make it hold at one time. A call
// over a limit waits for a moment and is then refused with ResourceExhausted. The zero
// value stands for the defaults.
//
// The messages of all callers together take Bytes, and streamWindow for each of the
// Calls. With what the server makes of them, and what is not collected yet, that was
// four times Bytes in the worst case that was measured.
type Limits struct {
	// Bytes of messages above 64 KiB that are received, worked on or sent; 0: 128 MiB. PeerBytes
	// is one caller's part of it, 0: 64 MiB. A caller is a certificate, and without
	// TLS a connection.
	Bytes     int64 `yaml:"bytes"`
	PeerBytes int64 `yaml:"peer_bytes"`
	// Calls at one time, streams included; 0: 8192. PeerCalls is one caller's part
	// of them, 0: 2048.
	Calls     int `yaml:"calls"`
	PeerCalls int `yaml:"peer_calls"`
	// Connections at one time; 0: 4096. One that comes on top is closed.
	Connections int `yaml:"connections"`
}

func (l *Limits) setDefaults() {
	setDefault(&l.Bytes, defaultBytes)
	setDefault(&l.PeerBytes, min(defaultPeerBytes, l.Bytes))
	setDefault(&l.Calls, defaultCalls)
	setDefault(&l.PeerCalls, min(defaultPeerCalls, l.Calls))
	setDefault(&l.Connections, defaultConnections)
}

func setDefault[T int | int64](field *T, value T) {
	if *field == 0 {
		*field = value
	}
}

// Validate refuses limits under which nothing could work.
func (l Limits) Validate() error {
	l.setDefaults()
	switch {
	case l.PeerBytes < maxMessageBytes:
		return fmt.Errorf("peer_bytes is %d; it must be at least %d, the largest message that is allowed", l.PeerBytes, maxMessageBytes)
	case l.Bytes < l.PeerBytes:
		return fmt.Errorf("bytes is %d, less than peer_bytes, %d", l.Bytes, l.PeerBytes)
	case l.PeerCalls < 1 || l.Calls < l.PeerCalls:
		return fmt.Errorf("calls is %d and peer_calls %d; peer_calls must be at least 1, and calls at least that", l.Calls, l.PeerCalls)
	case l.Connections < 1:
		return fmt.Errorf("connections is %d, it must be at least 1", l.Connections)
	}
	return nil
}
