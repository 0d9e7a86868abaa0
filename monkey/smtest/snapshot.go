// SPDX-License-Identifier: Apache-2.0

package smtest

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// snapshot is what SaveSnapshot wrote.
type snapshot struct {
	data  []byte
	files []savedFile
	at    int // the place of the log it was prepared at
}

// savedFile is a file that SaveSnapshot added. Dragonboat links it to a place of
// its own, and so does the kit.
type savedFile struct {
	id       uint64
	path     string
	metadata []byte
}

// text is the content of a snapshot.
func (s snapshot) text() string {
	var out strings.Builder
	fmt.Fprintf(&out, "a snapshot of %d bytes: %q", len(s.data), s.data)
	for _, file := range s.files {
		content, err := os.ReadFile(file.path)
		if err != nil {
			content = []byte(err.Error())
		}
		fmt.Fprintf(&out, ", file %d (metadata %q): %q", file.id, file.metadata, content)
	}
	return out.String()
}

func (s snapshot) snapshotFiles() []sm.SnapshotFile {
	var files []sm.SnapshotFile
	for _, file := range s.files {
		files = append(files, sm.SnapshotFile{FileID: file.id, Filepath: file.path, Metadata: bytes.Clone(file.metadata)})
	}
	return files
}

// fileCollection implements sm.ISnapshotFileCollection.
type fileCollection struct {
	t     *trial
	saved []savedFile
	wrong error // the first thing at which Dragonboat would have ended the process
}

// AddFile implements sm.ISnapshotFileCollection.
func (c *fileCollection) AddFile(id uint64, path string, metadata []byte) {
	if err := c.add(id, path, metadata); err != nil && c.wrong == nil {
		c.wrong = fmt.Errorf("AddFile(%d, %q): %w", id, path, err)
	}
}

func (c *fileCollection) add(id uint64, path string, metadata []byte) error {
	for _, file := range c.saved {
		if file.id == id {
			return fmt.Errorf("a file of this ID was added before. Dragonboat ends the process")
		}
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return err
	case info.IsDir():
		return fmt.Errorf("it is a folder. Dragonboat ends the process")
	case info.Size() == 0:
		return fmt.Errorf("it is empty. Dragonboat ends the process")
	}
	folder, err := os.MkdirTemp(c.t.folder("snapshots"), "")
	if err != nil {
		return err
	}
	link := filepath.Join(folder, fmt.Sprintf("external-file-%d", id))
	if err := os.Link(path, link); err != nil {
		return err
	}
	c.saved = append(c.saved, savedFile{id, link, bytes.Clone(metadata)})
	return nil
}

// readSizes says how much RecoverFromSnapshot gets from each Read.
type readSizes struct {
	most      int  // 0: as much as it asks for
	eofAtOnce bool // the end comes with the last bytes, not after them
}

// readSizes draws one of the ways in which an io.Reader may behave.
func drawReadSizes(r *rand.Rand) readSizes {
	return readSizes{most: []int{0, 1, 2, 7, 100}[r.IntN(5)], eofAtOnce: r.IntN(2) == 1}
}

func (s readSizes) String() string {
	switch s.most {
	case 0:
		return "reads of any size"
	case 1:
		return "reads of one byte each"
	}
	return fmt.Sprintf("reads of at most %d bytes each", s.most)
}

func (s readSizes) reader(data []byte) io.Reader { return &sizedReader{s, data} }

type sizedReader struct {
	readSizes
	rest []byte
}

func (r *sizedReader) Read(into []byte) (int, error) {
	if len(r.rest) == 0 {
		return 0, io.EOF
	}
	if r.most > 0 {
		into = into[:min(len(into), r.most)]
	}
	n := copy(into, r.rest)
	r.rest = r.rest[n:]
	if len(r.rest) == 0 && r.eofAtOnce {
		return n, io.EOF
	}
	return n, nil
}
