// SPDX-License-Identifier: Apache-2.0

package durable

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/lni/dragonboat/v3/config"
)

// ErrDamaged is in every error that says that a disk has lost, or changed, what was
// once written to it.
var ErrDamaged = errors.New("the disk is damaged")

// checksumLine ends every file: what is before it has that CRC-32C.
const checksumLine = "\ncrc32c %08x\n"

var (
	castagnoli   = crc32.MakeTable(crc32.Castagnoli)
	checksumSize = len(fmt.Sprintf(checksumLine, 0))
)

// File is a small file that is replaced as a whole. Its methods must not be
// called at the same time.
type File struct {
	fs   config.IFS
	dir  string
	name string
}

// In returns the file of that name in a NodeHost's directory, so that it is
// lost together with the Raft logs and never outlives them. The configuration
// is that of a NodeHost that was started.
func In(nodehost config.NodeHostConfig, name string) File {
	return At(nodehost.Expert.FS, nodehost.NodeHostDir, name)
}

// At returns the file of that name in a directory.
func At(fs config.IFS, dir, name string) File { return File{fs: fs, dir: dir, name: name} }

// Path names the file, for errors.
func (f File) Path() string { return f.fs.PathJoin(f.dir, f.name) }

// Read returns the content, of limit bytes at most; nil when there is no file. The
// error is ErrDamaged when it is not what was written.
func (f File) Read(limit int64) ([]byte, error) {
	data, err := f.ReadRaw(limit + int64(checksumSize))
	if data == nil {
		return nil, err
	}
	size := len(data) - checksumSize
	if size < 0 || !bytes.Equal(data[size:], checksumOf(data[:size])) {
		return nil, fmt.Errorf("%w: %s: the checksum at its end does not match", ErrDamaged, f.Path())
	}
	return data[:size:size], nil
}

// ReadRaw is Read for what has a checksum of its own.
func (f File) ReadRaw(limit int64) ([]byte, error) {
	file, err := f.fs.Open(f.Path())
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s can't be opened: %w", f.Path(), err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("it has more than %d bytes", limit)
	}
	if err != nil {
		return nil, fmt.Errorf("%s can't be read: %w", f.Path(), err)
	}
	return append([]byte{}, data...), nil
}

func checksumOf(data []byte) []byte {
	return fmt.Appendf(nil, checksumLine, crc32.Checksum(data, castagnoli))
}

// Write replaces the content. When it returns nil the new one survives the loss
// of power; after an error, or a crash on the way, there is the old one or the
// new one.
func (f File) Write(data []byte) error {
	return f.WriteRaw(append(bytes.Clone(data), checksumOf(data)...))
}

// WriteRaw is Write for what has a checksum of its own.
func (f File) WriteRaw(data []byte) error {
	temporary := f.Path() + ".new"
	if err := f.write(temporary, data); err != nil {
		return fmt.Errorf("%s can't be written: %w", temporary, err)
	}
	if err := f.fs.Rename(temporary, f.Path()); err != nil {
		return fmt.Errorf("%s can't be replaced: %w", f.Path(), err)
	}
	return SyncDir(f.fs, f.dir)
}

// SyncDir makes durable which files a directory has.
func SyncDir(fs config.IFS, path string) error {
	dir, err := fs.OpenDir(path)
	if err == nil {
		err = errors.Join(dir.Sync(), dir.Close())
	}
	if err != nil {
		return fmt.Errorf("the directory %s can't be synced: %w", path, err)
	}
	return nil
}

func (f File) write(path string, data []byte) error {
	file, err := f.fs.Create(path)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}
