// SPDX-License-Identifier: Apache-2.0

// Package counter is a module of somebody's: counters that stop at a limit.
package counter

import (
	"encoding/json"

	sm "github.com/lni/dragonboat/v3/statemachine"
)

// Command adds to a counter, or sets its limit.
type Command struct {
	Name  string `json:",omitempty"`
	Add   uint64 `json:",omitempty"`
	Limit uint64 `json:",omitempty"`
}

// Counters is the state machine.
type Counters struct {
	values map[string]uint64
	limits map[string]uint64 // 0: none
}

// New makes the counters of a replica.
func New(_, _ uint64) sm.IStateMachine { return &Counters{map[string]uint64{}, map[string]uint64{}} }

// Update returns what the counter, or its limit, is then.
func (c *Counters) Update(data []byte) (sm.Result, error) {
	var command Command
	if err := json.Unmarshal(data, &command); err != nil {
		return sm.Result{}, nil
	}
	if command.Limit > 0 {
		c.limits[command.Name] = command.Limit
		return sm.Result{Value: command.Limit}, nil
	}
	limit := c.limits[command.Name]
	if next := c.values[command.Name] + command.Add; limit == 0 || next <= limit {
		c.values[command.Name] = next
	}
	return sm.Result{Value: c.values[command.Name]}, nil
}

// Lookup answers the name of a counter with its value.
func (c *Counters) Lookup(query any) (any, error) { return c.values[query.(string)], nil }

// Close implements sm.IStateMachine.
func (c *Counters) Close() error { return nil }
