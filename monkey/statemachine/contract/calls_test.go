// SPDX-License-Identifier: Apache-2.0

package contract_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/monkey/statemachine/contract"
)

func TestCallsAsDragonboatMakesThem(t *testing.T) {
	for _, kind := range []contract.Kind{contract.Regular, contract.Concurrent, contract.OnDisk} {
		c := contract.Watch(kind, 1, 2)
		if kind == contract.OnDisk {
			c.Open()(7)
		}
		for i := range uint64(20) {
			c.Update(10+i, 10+i)()
			if kind != contract.Regular {
				one, two := c.Prepare(), c.Prepare() // two receivers of one stream each
				one()
				two()
			}
			saved := c.Save()
			if kind != contract.Regular {
				c.Update(100+i, 100+i)()
			}
			saved()
			c.Recover()()
			c.Sync()()
		}
		c.Close()
	}
}

func TestBrokenContracts(t *testing.T) {
	for name, b := range map[string]struct {
		kind contract.Kind
		do   func(*contract.Calls)
		says string
	}{
		"closed twice":           {contract.Regular, func(c *contract.Calls) { c.Close(); c.Close() }, "Close was called twice"},
		"updated after Close":    {contract.Regular, func(c *contract.Calls) { c.Close(); c.Update(0, 0) }, "Update was called after Close"},
		"saved after Close":      {contract.Concurrent, func(c *contract.Calls) { c.Prepare()(); c.Close(); c.Save() }, "SaveSnapshot was called after Close"},
		"closed at work":         {contract.Regular, func(c *contract.Calls) { c.Update(0, 0); c.Close() }, "Close was called while Update was at work"},
		"updates overlap":        {contract.Concurrent, func(c *contract.Calls) { c.Update(1, 1); c.Update(2, 2) }, "Update was called while Update was at work"},
		"recovery overlaps":      {contract.Concurrent, func(c *contract.Calls) { c.Update(1, 1); c.Recover() }, "RecoverFromSnapshot was called while Update was at work"},
		"saved while updated":    {contract.Regular, func(c *contract.Calls) { c.Update(0, 0); c.Save() }, "SaveSnapshot was called while Update was at work"},
		"prepared while updated": {contract.Concurrent, func(c *contract.Calls) { c.Update(1, 1); c.Prepare() }, "PrepareSnapshot was called while Update was at work"},
		"updated while prepared": {contract.Concurrent, func(c *contract.Calls) { c.Prepare(); c.Update(1, 1) }, "Update was called while PrepareSnapshot was at work"},
		"never saved": {contract.Concurrent, func(c *contract.Calls) {
			for range 5 {
				c.Prepare()()
			}
		}, "PrepareSnapshot was called 5 times without a call of SaveSnapshot"},
		"not opened":        {contract.OnDisk, func(c *contract.Calls) { c.Update(1, 1) }, "Update was called before Open"},
		"opened twice":      {contract.OnDisk, func(c *contract.Calls) { c.Open()(1); c.Open() }, "Open was called twice"},
		"an entry again":    {contract.OnDisk, func(c *contract.Calls) { c.Open()(7); c.Update(7, 8) }, "Update was called with entries 7 to 8 after entry 7"},
		"an entry in twice": {contract.Concurrent, func(c *contract.Calls) { c.Update(1, 3)(); c.Update(3, 4) }, "Update was called with entries 3 to 4 after entry 3"},
	} {
		t.Run(name, func(t *testing.T) {
			c := contract.Watch(b.kind, 1, 2)
			defer func() {
				err, _ := recover().(error)
				require.ErrorContains(t, err, "cluster 1, node 2: Dragonboat broke the contract of state machines: "+b.says)
			}()
			b.do(c)
		})
	}
}
