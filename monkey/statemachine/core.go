// SPDX-License-Identifier: Apache-2.0

package statemachine

import (
	"errors"
	"fmt"
	"io"
	"sync"

	sm "github.com/lni/dragonboat/v3/statemachine"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/contract"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/kv"
)

// Core is the state that a state machine keeps. Lookup, Digest and Image may
// be called at the same time as each other, and with nothing else.
type Core interface {
	// Apply carries out a command; see kv.Store.
	Apply(index uint64, command []byte) kv.Answer
	// Lookup answers a query; see kv.Store.
	Lookup(query []byte) []byte
	Digest() kv.Digest
	// Image returns the state for a snapshot.
	Image() *kv.Image
	// Restore replaces the state by that of a snapshot.
	Restore(*kv.Image)
}

// NewCore makes the core of one Raft node.
type NewCore func(clusterID, nodeID uint64) Core

// Correct makes cores of version 1 without a bug.
func Correct(clusterID, nodeID uint64) Core { return kv.New() }

// CorrectOf makes cores of a version without a bug.
func CorrectOf(v kv.Version) NewCore {
	return func(uint64, uint64) Core { return kv.NewOf(v) }
}

// guarded lets a core be read while it is not being changed.
type guarded struct {
	mu    sync.RWMutex
	core  Core
	calls *contract.Calls
}

// guard makes the core of a node, and watches what Dragonboat asks of it.
func (newCore NewCore) guard(kind contract.Kind, clusterID, nodeID uint64) guarded {
	return guarded{core: newCore(clusterID, nodeID), calls: contract.Watch(kind, clusterID, nodeID)}
}

func (g *guarded) apply(index uint64, command []byte) sm.Result {
	g.mu.Lock()
	defer g.mu.Unlock()
	return result(g.core.Apply(index, command))
}

// result is the form in which Dragonboat hands an answer to the client.
func result(a kv.Answer) sm.Result {
	return sm.Result{Value: uint64(a.Status), Data: a.Encode()}
}

// NALookup implements Dragonboat's sm.IExtended.
func (g *guarded) NALookup(query []byte) ([]byte, error) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.core.Lookup(query), nil
}

// Lookup answers a query given as []byte with a []byte.
func (g *guarded) Lookup(query any) (any, error) {
	data, ok := query.([]byte)
	if !ok {
		return nil, fmt.Errorf("found a query of type %T, expected bytes", query)
	}
	return g.NALookup(data)
}

// GetHash implements Dragonboat's sm.IHash.
func (g *guarded) GetHash() (uint64, error) {
	return g.digest().Chain, nil
}

func (g *guarded) digest() kv.Digest {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.core.Digest()
}

// Peek returns the digest of a state machine of this package, and whether it is
// one. It takes no lock: call it when the state machine is not at work.
func Peek(machine any) (kv.Digest, bool) {
	m, ok := machine.(interface{ peek() kv.Digest })
	if !ok {
		return kv.Digest{}, false
	}
	return m.peek(), true
}

func (g *guarded) peek() kv.Digest { return g.core.Digest() }

func (g *guarded) image() *kv.Image {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.core.Image()
}

func (g *guarded) restore(image *kv.Image) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.core.Restore(image)
}

// save writes an image until stop is closed.
func save(image *kv.Image, w io.Writer, stop <-chan struct{}) error {
	_, err := image.WriteTo(stoppableWriter{w, stop})
	return plain(err)
}

// load reads an image until stop is closed.
func load(r io.Reader, stop <-chan struct{}) (*kv.Image, error) {
	image, err := kv.ReadImage(stoppableReader{r, stop})
	return image, plain(err)
}

// plain unwraps the errors that Dragonboat looks for with ==.
func plain(err error) error {
	for _, known := range []error{sm.ErrSnapshotStopped, sm.ErrSnapshotAborted, sm.ErrSnapshotStreaming} {
		if errors.Is(err, known) {
			return known
		}
	}
	return err
}

type stoppableWriter struct {
	w    io.Writer
	stop <-chan struct{}
}

func (w stoppableWriter) Write(data []byte) (int, error) {
	if stopped(w.stop) {
		return 0, sm.ErrSnapshotStopped
	}
	return w.w.Write(data)
}

type stoppableReader struct {
	r    io.Reader
	stop <-chan struct{}
}

func (r stoppableReader) Read(data []byte) (int, error) {
	if stopped(r.stop) {
		return 0, sm.ErrSnapshotStopped
	}
	return r.r.Read(data)
}

func stopped(stop <-chan struct{}) bool {
	select {
	case <-stop:
		return true
	default:
		return false
	}
}
