// SPDX-License-Identifier: Apache-2.0

package ledger

import (
	"bytes"
	"encoding/json"
	"testing"
)

// do carries out a command and checks what it is answered.
func do(t *testing.T, l *Ledger, c Command, value uint64, answer string) {
	t.Helper()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	result, err := l.Update(data)
	if err != nil || result.Value != value || string(result.Data) != answer {
		t.Fatalf("%+v was answered %d, %q, %v; expected %d, %q", c, result.Value, result.Data, err, value, answer)
	}
}

func holds(t *testing.T, l *Ledger, account string, amount int64) {
	t.Helper()
	if got, err := l.Lookup(account); err != nil || got != amount {
		t.Fatalf("%s holds %v (%v), expected %d", account, got, err, amount)
	}
}

func opened(t *testing.T) *Ledger {
	l := New(1, 1).(*Ledger)
	do(t, l, Command{"r1", bank, "ada", 500}, Done, "ada holds 500")
	return l
}

func TestMoneyIsMoved(t *testing.T) {
	l := opened(t)
	do(t, l, Command{"r2", "ada", "bob", 200}, Done, "bob holds 200")
	holds(t, l, "ada", 300)
	holds(t, l, "bob", 200)
}

func TestNobodyIsOverdrawn(t *testing.T) {
	l := opened(t)
	do(t, l, Command{"r2", "ada", "bob", 501}, Refused, "ada holds too little")
	holds(t, l, "ada", 500)
}

func TestARequestIsDoneOnce(t *testing.T) {
	l := opened(t)
	do(t, l, Command{"r2", "ada", "bob", 200}, Done, "bob holds 200")
	do(t, l, Command{"r2", "ada", "bob", 200}, Repeated, "bob holds 200")
	holds(t, l, "bob", 200)
}

func TestASnapshotBringsBackTheLedger(t *testing.T) {
	l := opened(t)
	do(t, l, Command{"r2", "ada", "bob", 200}, Done, "bob holds 200")
	var snapshot bytes.Buffer
	if err := l.SaveSnapshot(&snapshot, nil, nil); err != nil {
		t.Fatal(err)
	}
	restored := New(1, 2).(*Ledger)
	if err := restored.RecoverFromSnapshot(&snapshot, nil, nil); err != nil {
		t.Fatal(err)
	}
	holds(t, restored, "ada", 300)
	holds(t, restored, "bob", 200)
	do(t, restored, Command{"r3", "bob", "ada", 50}, Done, "ada holds 350")
}
