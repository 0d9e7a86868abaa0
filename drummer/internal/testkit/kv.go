// SPDX-License-Identifier: Apache-2.0

package testkit

import (
	"encoding/json"
	"io"

	"github.com/lni/dragonboat/v3/statemachine"
)

// KV is a state machine of strings: a command is a JSON pair of key and value,
// a query is a key. It counts its updates under the key "#".
type KV struct {
	data    map[string]string
	updates uint64
}

// NewKV makes a regular state machine.
func NewKV(uint64, uint64) statemachine.IStateMachine { return newKV() }

func newKV() *KV { return &KV{data: map[string]string{}} }

// Put is the command that sets a key.
func Put(key, value string) []byte {
	data, err := json.Marshal([2]string{key, value})
	if err != nil {
		panic(err) // strings can always be encoded
	}
	return data
}

// Update implements statemachine.IStateMachine; the result's value is the
// number of updates so far.
func (m *KV) Update(command []byte) (statemachine.Result, error) {
	m.updates++
	var pair [2]string
	if err := json.Unmarshal(command, &pair); err == nil {
		m.data[pair[0]] = pair[1]
	}
	return statemachine.Result{Value: m.updates, Data: []byte("ok")}, nil
}

// Lookup answers a []byte query with a []byte, any other with itself.
func (m *KV) Lookup(query any) (any, error) {
	key, ok := query.([]byte)
	if !ok {
		return query, nil
	}
	if string(key) == "not bytes" {
		return 7, nil
	}
	return []byte(m.data[string(key)]), nil
}

// SaveSnapshot implements statemachine.IStateMachine.
func (m *KV) SaveSnapshot(w io.Writer, _ statemachine.ISnapshotFileCollection, _ <-chan struct{}) error {
	return json.NewEncoder(w).Encode(m.data)
}

// RecoverFromSnapshot implements statemachine.IStateMachine.
func (m *KV) RecoverFromSnapshot(r io.Reader, _ []statemachine.SnapshotFile, _ <-chan struct{}) error {
	return json.NewDecoder(r).Decode(&m.data)
}

// Close implements statemachine.IStateMachine.
func (m *KV) Close() error { return nil }

// OnDiskKV is KV with the interface of an on-disk state machine. It keeps
// nothing on disk, so it must not be restarted.
type OnDiskKV struct{ kv *KV }

// NewOnDiskKV makes an on-disk state machine.
func NewOnDiskKV(uint64, uint64) statemachine.IOnDiskStateMachine { return &OnDiskKV{newKV()} }

// Open implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) Open(<-chan struct{}) (uint64, error) { return 0, nil }

// Update implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) Update(entries []statemachine.Entry) ([]statemachine.Entry, error) {
	for i := range entries {
		entries[i].Result, _ = m.kv.Update(entries[i].Cmd)
	}
	return entries, nil
}

// Lookup implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) Lookup(query any) (any, error) { return m.kv.Lookup(query) }

// Sync implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) Sync() error { return nil }

// PrepareSnapshot implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) PrepareSnapshot() (any, error) { return nil, nil }

// SaveSnapshot implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) SaveSnapshot(_ any, w io.Writer, done <-chan struct{}) error {
	return m.kv.SaveSnapshot(w, nil, done)
}

// RecoverFromSnapshot implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) RecoverFromSnapshot(r io.Reader, done <-chan struct{}) error {
	return m.kv.RecoverFromSnapshot(r, nil, done)
}

// Close implements statemachine.IOnDiskStateMachine.
func (m *OnDiskKV) Close() error { return nil }
