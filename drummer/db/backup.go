// SPDX-License-Identifier: Apache-2.0

package db

import (
	"bytes"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

const (
	// MaxBackupBytes bounds a backup: it travels in one gRPC message and is restored
	// by one command of the log.
	MaxBackupBytes = 31 << 20
	// maxBackupState bounds what a backup may become when it is decompressed.
	maxBackupState = 2 << 30
)

// EncodeBackup makes a backup of a state: its snapshot, which has a version and a
// digest, compressed.
func EncodeBackup(s *State) ([]byte, error) {
	var out bytes.Buffer
	w, err := zstd.NewWriter(&out, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, err
	}
	if err := WriteSnapshot(s, w); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	if out.Len() > MaxBackupBytes {
		return nil, fmt.Errorf("a backup of DrummerDB would have %d bytes, and at most %d can be restored", out.Len(), MaxBackupBytes)
	}
	return out.Bytes(), nil
}

// DecodeBackup returns the state that a backup was made of. The error says what is
// wrong with bytes that are none, that were damaged, or that this version of the
// program can't read.
func DecodeBackup(data []byte) (*State, error) {
	if len(data) > MaxBackupBytes {
		return nil, fmt.Errorf("a backup of DrummerDB has %d bytes at most, this one has %d", MaxBackupBytes, len(data))
	}
	r, err := zstd.NewReader(bytes.NewReader(data), zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxBackupState))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return ReadSnapshot(r)
}
