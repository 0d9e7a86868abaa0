// SPDX-License-Identifier: Apache-2.0

package simnet

import (
	"testing"
	"testing/synctest"
	"time"

	pb "github.com/lni/dragonboat/v3/raftpb"
	"github.com/stretchr/testify/require"
)

func TestMessagesThatGoAstrayAreSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(Config{Seed: 1})
		defer n.Close()
		boot(t, n, "a")
		boot(t, n, "b")
		l, from := n.link("a", "b"), n.process("a")
		arrive := func(departs time.Duration) []string {
			n.audit(l, delivery{from: from, departs: departs, batch: pb.MessageBatch{Requests: make([]pb.Message, 2)}})
			return n.Astray()
		}
		time.Sleep(time.Second)
		require.Empty(t, arrive(time.Second))
		n.Cut("a", "b")
		require.Equal(t, []string{"2 messages reached b from a, and the link was cut"}, arrive(time.Second))
		n.Heal("a", "b")
		n.Down("a", true)
		require.Len(t, arrive(time.Second), 1, "they had left")
		require.Equal(t, "2 messages reached b from a, and their sender died 20ms before they left", arrive(time.Second + 20*time.Millisecond)[1])
	})
}
