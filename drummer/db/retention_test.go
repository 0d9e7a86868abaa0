// SPDX-License-Identifier: Apache-2.0

package db

import (
	"runtime"
	"testing"
	"weak"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
)

// A state shares what did not change with the one before, and keeps nothing else of
// it: else memory grew with every command.
func TestAStateDoesNotKeepTheOneBefore(t *testing.T) {
	s := NewState()
	tick, err := proto.Marshal(&pb.Command{Body: &pb.Command_Tick{Tick: &pb.Tick{Term: 1}}})
	require.NoError(t, err)
	var before []weak.Pointer[State]
	for index := range uint64(10) {
		before = append(before, weak.Make(s))
		s, _ = Apply(s, index+1, tick)
	}
	runtime.GC()
	runtime.GC()
	for i, p := range before {
		require.Nil(t, p.Value(), "state %d", i)
	}
	runtime.KeepAlive(s)
}
