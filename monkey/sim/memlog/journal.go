// SPDX-License-Identifier: Apache-2.0

package memlog

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/lni/goutils/vfs"
)

const (
	journalName = "journal"
	// headerSize is that of a record's length and checksum, which are before it.
	headerSize = 8
	// A journal is replaced when it has grown by leastGrowth bytes, and to this many
	// times what a new one would have had.
	leastGrowth = 1 << 20
	growth      = 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal is a file of records.
type journal struct {
	fs   vfs.FS
	dir  string
	file vfs.File
	size int64 // of the file
	full int64 // size at which it is replaced
	buf  []byte
}

// readJournal returns the records that are whole, up to the first that is not.
func readJournal(fs vfs.FS, dir string) ([][]change, error) {
	path := fs.PathJoin(dir, journalName)
	file, err := fs.Open(path)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open the journal of the logs: %w", err)
	}
	data, err := io.ReadAll(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read the journal of the logs, %s: %w", path, err)
	}
	return records(data), nil
}

// records takes a journal apart, up to the first record that is not whole.
func records(data []byte) [][]change {
	var out [][]change
	for len(data) >= headerSize {
		size, sum := binary.LittleEndian.Uint32(data), binary.LittleEndian.Uint32(data[4:])
		data = data[headerSize:]
		if uint64(size) > uint64(len(data)) || crc32.Checksum(data[:size], castagnoli) != sum {
			break
		}
		changes, err := decode(data[:size])
		if err != nil {
			break
		}
		out = append(out, changes)
		data = data[size:]
	}
	return out
}

// add appends a record and makes it durable, with all before it.
func (j *journal) add(changes []change) error {
	err := j.write(changes)
	if err == nil {
		err = j.file.Sync()
	}
	if err != nil {
		return fmt.Errorf("append to the journal of the logs, in %s: %w", j.dir, err)
	}
	return nil
}

func (j *journal) write(changes []change) error {
	record := append(j.buf[:0], make([]byte, headerSize)...)
	for i := range changes {
		var err error
		if record, err = changes[i].encode(record); err != nil {
			return err
		}
	}
	j.buf = record
	binary.LittleEndian.PutUint32(record, uint32(len(record)-headerSize))
	binary.LittleEndian.PutUint32(record[4:], crc32.Checksum(record[headerSize:], castagnoli))
	j.size += int64(len(record))
	_, err := j.file.Write(record)
	return err
}

// isFull reports whether it is time to replace the journal.
func (j *journal) isFull() bool { return j.size > j.full }

// replace makes a new journal of these records and puts it in place of the one
// there is, if there is one. A power loss leaves the one or the other.
func (j *journal) replace(all [][]change) error {
	path := j.fs.PathJoin(j.dir, journalName)
	file, err := j.fs.Create(path + ".new")
	if err != nil {
		return fmt.Errorf("create a journal of the logs: %w", err)
	}
	old := j.file
	j.file, j.size = file, 0
	for _, changes := range all {
		if err := j.write(changes); err != nil {
			return fmt.Errorf("write a journal of the logs, %s.new: %w", path, err)
		}
	}
	j.full = max(j.size+leastGrowth, growth*j.size)
	err = errors.Join(file.Sync(), j.fs.Rename(path+".new", path), syncDir(j.fs, j.dir))
	if old != nil {
		err = errors.Join(err, old.Close())
	}
	if err != nil {
		return fmt.Errorf("replace the journal of the logs, %s: %w", path, err)
	}
	return nil
}

func syncDir(fs vfs.FS, name string) error {
	dir, err := fs.OpenDir(name)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
