// SPDX-License-Identifier: Apache-2.0

// Package ledger is a worked example: a state machine for Dragonboat that moves
// money between accounts, each request once.
package ledger

import (
	"encoding/json"
	"fmt"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// Command moves an amount from an account to another. Money comes into the
// ledger from the account "bank", which may be overdrawn.
type Command struct {
	Request string // a client that got no answer sends its command again, under the same name
	From    string
	To      string
	Amount  int64 // in cents
}

// The values of Dragonboat's Result.
const (
	Done     = 1
	Refused  = 2 // Data says why
	Repeated = 3 // the request was done before, and Data is the answer that it got then
)

// bank is the account that money comes from.
const bank = "bank"

// Ledger is the state: what each account holds, and which requests were done.
type Ledger struct {
	accounts map[string]int64
	requests map[string]string // request: its answer
}

// New makes the ledger of one replica. It has the type that
// NodeHost.StartCluster takes.
func New(clusterID, nodeID uint64) sm.IStateMachine {
	return &Ledger{accounts: map[string]int64{}, requests: map[string]string{}}
}

// Update carries out an encoded Command.
func (l *Ledger) Update(data []byte) (sm.Result, error) {
	var c Command
	if err := json.Unmarshal(data, &c); err != nil {
		return refused("no command: " + err.Error())
	}
	if answer, there := l.requests[c.Request]; there {
		return sm.Result{Value: Repeated, Data: []byte(answer)}, nil
	}
	switch {
	case c.Amount <= 0:
		return refused("nothing to move")
	case c.From != bank && l.accounts[c.From] < c.Amount:
		return refused(c.From + " holds too little")
	}
	l.accounts[c.From] -= c.Amount
	l.accounts[c.To] += c.Amount
	answer := fmt.Sprintf("%s holds %d", c.To, l.accounts[c.To])
	l.requests[c.Request] = answer
	return sm.Result{Value: Done, Data: []byte(answer)}, nil
}

func refused(why string) (sm.Result, error) {
	return sm.Result{Value: Refused, Data: []byte(why)}, nil
}

// Lookup answers the name of an account with what it holds, an int64.
func (l *Ledger) Lookup(query any) (any, error) {
	account, ok := query.(string)
	if !ok {
		return nil, fmt.Errorf("found a query of type %T, expected the name of an account", query)
	}
	return l.accounts[account], nil
}

// Close implements sm.IStateMachine.
func (l *Ledger) Close() error { return nil }
