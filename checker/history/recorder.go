// SPDX-License-Identifier: Apache-2.0

package history

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// The files of a recorded run.
const (
	// FileName holds the finished operations.
	FileName = "history.jsonl.zst"
	// PendingName holds the operations that were open when the recording
	// process died. It is absent after a clean end.
	PendingName = "history.pending.jsonl"
)

const (
	flushOps     = 512         // finished operations between two flushes
	flushEvery   = time.Second // and the time between two, when operations are rare
	compactBytes = 8 << 20     // size at which the pending file is rewritten
	zstdLevel    = zstd.SpeedDefault
)

// Handle stands for an operation that was invoked and has not returned.
type Handle uint64

// Answer is what a client was told at the end of an operation; see Op for the
// fields.
type Answer struct {
	Outcome        Outcome
	Observed       Value
	ObservedWriter string
	Refuted        bool
	// Trail names the writes before ObservedWriter; see Op.Trail.
	Trail  []string
	Return int64
	By     *Replica
}

// Recorder writes a history to disk while it happens, so that a killed
// process leaves a history that can be judged: a write is noted in the
// pending file before it is sent, and appears there as of unknown outcome if
// its end was never recorded. Losing the record of a read, or the outcome of
// a write, weakens a verdict and never makes it wrong.
//
// It is safe for concurrent use. It holds no goroutine. After an error
// nothing more is recorded and every call returns that error: the caller has
// to stop.
type Recorder struct {
	mu      sync.Mutex
	dir     string
	file    *os.File
	zw      *zstd.Encoder
	pending *os.File
	// open holds the operations invoked and not returned.
	open map[Handle]Op
	// pendingBytes is the size of the pending file; minPending its size when
	// it was last rewritten.
	pendingBytes, minPending int64
	last                     Handle
	unflushed                int
	flushed                  time.Time
	buf                      []byte
	err                      error
}

// NewRecorder creates the files of a recording in dir, which must exist, and
// replaces what was recorded there before.
func NewRecorder(dir string) (*Recorder, error) {
	file, err := os.Create(filepath.Join(dir, FileName))
	if err != nil {
		return nil, fmt.Errorf("recording the history: %w", err)
	}
	pending, err := os.Create(filepath.Join(dir, PendingName))
	if err != nil {
		file.Close()
		return nil, fmt.Errorf("recording the history: %w", err)
	}
	zw, err := zstd.NewWriter(file, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstdLevel), zstd.WithWindowSize(1<<20))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("recording the history: %w", err), file.Close(), pending.Close())
	}
	return &Recorder{dir: dir, file: file, zw: zw, pending: pending, open: make(map[Handle]Op), flushed: time.Now()}, nil
}

// Invoke notes that the operation is about to be sent. Its Call must be set;
// Outcome, Return, Observed, By and ID are ignored. For an operation that can
// change state the note is with the operating system when Invoke returns, so
// call it before sending.
func (r *Recorder) Invoke(op Op) (Handle, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return 0, r.err
	}
	h := r.last + 1
	op.ID, op.Outcome, op.Return, op.Observed, op.By = uint64(h), Unknown, 0, Value{}, nil
	if err := op.Validate(); err != nil {
		return 0, r.fail(fmt.Errorf("client %d invoked an impossible operation: %w", op.Client, err))
	}
	if op.Kind.Mutates() {
		if err := r.note(&op); err != nil {
			return 0, r.fail(err)
		}
	}
	r.last = h
	r.open[h] = op
	return h, nil
}

// Return records how the operation ended and returns it whole. After an
// Unknown outcome the operation is over as far as the recorder goes.
func (r *Recorder) Return(h Handle, a Answer) (Op, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return Op{}, r.err
	}
	op, ok := r.open[h]
	if !ok {
		return Op{}, r.fail(fmt.Errorf("operation %d returned twice, or was never invoked", h))
	}
	op.Outcome, op.Return, op.Observed = a.Outcome, a.Return, a.Observed
	op.ObservedWriter, op.Refuted, op.By = a.ObservedWriter, a.Refuted, a.By
	op.setTrail(a.Trail)
	if a.Outcome == Unknown {
		op.Return, op.Observed, op.ObservedWriter, op.Refuted, op.By = 0, Value{}, "", false, nil
	}
	if err := op.Validate(); err != nil {
		return Op{}, r.fail(fmt.Errorf("operation %d of client %d ended impossibly: %w", h, op.Client, err))
	}
	delete(r.open, h)
	if err := r.finish(&op); err != nil {
		return Op{}, r.fail(err)
	}
	return op, nil
}

// Flush makes everything recorded so far readable by others.
func (r *Recorder) Flush() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err != nil {
		return r.err
	}
	if err := r.flush(); err != nil {
		return r.fail(err)
	}
	return nil
}

// TryFlush is Flush for who must not wait: it does nothing while the recorder is
// at work, and leaves errors to others.
func (r *Recorder) TryFlush() {
	if !r.mu.TryLock() {
		return
	}
	defer r.mu.Unlock()
	if r.err == nil {
		_ = r.zw.Flush()
	}
}

// Close records what is still open as of unknown outcome, in the order of
// invocation, ends the stream and removes the pending file. A second Close
// does nothing.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.file == nil {
		return nil
	}
	for _, h := range slices.Sorted(maps.Keys(r.open)) {
		op := r.open[h]
		if r.err == nil {
			if err := r.finish(&op); err != nil {
				r.fail(err)
			}
		}
	}
	clear(r.open)
	failed := r.err
	err := errors.Join(failed, r.zw.Close(), r.file.Close(), r.pending.Close())
	if err == nil {
		err = os.Remove(filepath.Join(r.dir, PendingName))
	}
	r.file = nil
	if r.err = errClosed; err != nil {
		return fmt.Errorf("ending the history: %w", err)
	}
	return nil
}

var errClosed = errors.New("the recorder is closed")

func (r *Recorder) fail(err error) error {
	r.err = fmt.Errorf("recording the history: %w", err)
	return r.err
}

func (r *Recorder) note(op *Op) error {
	var err error
	if r.buf, err = op.AppendJSON(r.buf[:0]); err != nil {
		return err
	}
	n, err := r.pending.Write(r.buf)
	r.pendingBytes += int64(n)
	return err
}

func (r *Recorder) finish(op *Op) error {
	var err error
	if r.buf, err = op.AppendJSON(r.buf[:0]); err != nil {
		return err
	}
	if _, err = r.zw.Write(r.buf); err != nil {
		return err
	}
	r.unflushed++
	if r.unflushed >= flushOps || time.Since(r.flushed) >= flushEvery {
		return r.flush()
	}
	return nil
}

func (r *Recorder) flush() error {
	if r.unflushed > 0 {
		if err := r.zw.Flush(); err != nil {
			return err
		}
		r.unflushed = 0
	}
	r.flushed = time.Now()
	if r.pendingBytes-r.minPending >= compactBytes {
		return r.compact()
	}
	return nil
}

// compact rewrites the pending file with what is open. It may only run when
// all finished operations were flushed: their notes go away here.
func (r *Recorder) compact() error {
	path := filepath.Join(r.dir, PendingName)
	fresh, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	old := r.pending
	r.pending, r.pendingBytes = fresh, 0
	for _, h := range slices.Sorted(maps.Keys(r.open)) {
		op := r.open[h]
		if !op.Kind.Mutates() {
			continue
		}
		if err := r.note(&op); err != nil {
			return errors.Join(err, old.Close())
		}
	}
	r.minPending = r.pendingBytes
	return errors.Join(old.Close(), os.Rename(path+".new", path))
}
