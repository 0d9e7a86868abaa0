// SPDX-License-Identifier: Apache-2.0

package fault

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/drummer/client"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/monkey/sim"
	"github.com/drumbeat-raft/drumbeat/monkey/statemachine"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// The board is an operator's, too: it notes what is asked for.

func (b *board) Drain(_ context.Context, host string) (err error) {
	b.set(func() {
		b.note("drain", host)
		if b.full > 0 {
			b.full--
			err = ErrNoRoom
		}
	})
	return err
}

func (b *board) Activate(_ context.Context, host string) error {
	b.set(func() { b.note("activate", host) })
	return nil
}

func (b *board) IsEmpty(string) bool { return !b.unsafe }

func (b *board) Clusters() []uint64 { return []uint64{1, 2, 3} }

func (b *board) Resize(_ context.Context, members int, clusters ...uint64) error {
	b.set(func() { b.note("resize", fmt.Sprintf("%d clusters to %d", len(clusters), members)) })
	return nil
}

func (b *board) Create(_ context.Context, clusters int) ([]uint64, error) {
	b.set(func() { b.note("create", fmt.Sprint(clusters)) })
	return []uint64{4, 5}[:clusters], nil
}

func (b *board) Delete(_ context.Context, clusters ...uint64) error {
	b.set(func() { b.note("delete", fmt.Sprint(clusters)) })
	return nil
}

// testOperator asks the Drummer of a simulated deployment.
type testOperator struct{ w *sim.World }

func (o testOperator) with(do func(c *client.Client) error) error {
	var drummers []string
	for _, h := range o.w.Hosts() {
		if h.Role == world.Drummer {
			drummers = append(drummers, h.APIAddress)
		}
	}
	c, err := client.New(client.Config{Drummers: drummers, Dial: o.w.DialContext})
	if err != nil {
		return err
	}
	defer c.Close()
	return do(c)
}

func (o testOperator) setMode(ctx context.Context, host string, mode pb.HostMode) error {
	return o.with(func(c *client.Client) error {
		for _, h := range o.w.Hosts() {
			if h.Name == host {
				return c.SetHostMode(ctx, "a test", h.RaftAddress, mode, false)
			}
		}
		return fmt.Errorf("there is no host %s", host)
	})
}

func (o testOperator) Drain(ctx context.Context, host string) error {
	return o.setMode(ctx, host, pb.HostMode_DRAIN)
}

func (o testOperator) Activate(ctx context.Context, host string) error {
	return o.setMode(ctx, host, pb.HostMode_ACTIVE)
}

func (o testOperator) IsEmpty(host string) bool {
	inspection, err := o.w.Inspect(context.Background(), host)
	return err == nil && len(inspection.Nodes) == 0
}

func (testOperator) Clusters() []uint64 { return []uint64{1} }

func (o testOperator) spec(id uint64, members int) *pb.ClusterSpec {
	if members == 0 {
		members = 3
	}
	return &pb.ClusterSpec{ClusterId: id, Application: statemachine.RegularName, Size: uint32(members)}
}

func (o testOperator) Resize(ctx context.Context, members int, clusters ...uint64) error {
	return o.with(func(c *client.Client) error { return c.UpdateClusters(ctx, "a test", o.spec(clusters[0], members)) })
}

func (o testOperator) Create(ctx context.Context, _ int) ([]uint64, error) {
	return []uint64{2}, o.with(func(c *client.Client) error { return c.Define(ctx, "a test", o.spec(2, 3)) })
}

func (o testOperator) Delete(ctx context.Context, clusters ...uint64) error {
	return o.with(func(c *client.Client) error { return c.DeleteClusters(ctx, "a test", clusters...) })
}

func TestDrainIsUndone(t *testing.T) {
	effect := strikes(t, "kind: drain, target: nodehost-2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s drain nodehost-2"}, b.journal())
	})
	require.Equal(t, world.Effect{RequestsAccepted: 1}, effect)
	strikesSimulationOf(t, 5, "kind: drain, target: nodehost-2")
}

// A host that is empty when the fault ends is gone for good; one that is not stays.
func TestLeaveStopsAHostThatIsEmpty(t *testing.T) {
	for _, empty := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoard()
			b.unsafe = !empty
			r := carryOut(t, b, planOf(t, "kind: leave, target: nodehost-2, at: [5s], for: 10s"), map[time.Duration]func(){
				40 * time.Second: func() { require.Equal(t, !empty, b.Running("nodehost-2")) },
			})
			want := world.Effect{}
			if empty {
				require.Equal(t, []string{"5s drain nodehost-2", "15s stop nodehost-2"}, b.journal())
				want.ProcessesEnded = 1
			} else {
				require.Equal(t, []string{"5s drain nodehost-2", "15s activate nodehost-2"}, b.journal())
			}
			require.Equal(t, want, *facts[timeline.InjectionEnded](r)[0].Effect)
		})
	}
}

// A drain for which others have no room is asked for again, until there is or the fault ends.
func TestDrainIsAskedForAgain(t *testing.T) {
	for full, want := range map[int][]string{
		2:  {"5s drain nodehost-2", "10s drain nodehost-2", "15s drain nodehost-2", "17s activate nodehost-2"},
		10: {"5s drain nodehost-2", "10s drain nodehost-2", "15s drain nodehost-2", "17s activate nodehost-2"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBoard()
			b.full = full
			r := carryOut(t, b, planOf(t, "kind: drain, target: nodehost-2, at: [5s], for: 12s"), nil)
			require.Equal(t, want, b.journal())
			failed := facts[timeline.OperatorFailed](r)
			require.Equal(t, full > 3, len(failed) > 0, "%v", failed)
		})
	}
}

// Of two faults that want a host empty the first to end leaves it so.
func TestDrainsOfOneHostOverlap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBoard()
		carryOut(t, b, planOf(t, "kind: drain, target: nodehost-2, at: [5s], for: 10s", "kind: drain, target: nodehost-2, at: [8s], for: 10s"), nil)
		require.Equal(t, []string{"5s drain nodehost-2", "8s drain nodehost-2", "18s activate nodehost-2"}, b.journal())
	})
}

func TestResizeIsUndone(t *testing.T) {
	effect := strikes(t, "kind: resize, size: 5, clusters: 2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s resize 2 clusters to 5"}, b.journal())
	})
	require.Equal(t, world.Effect{RequestsAccepted: 1}, effect)
	strikesSimulation(t, "kind: resize, size: 1")
}

func TestNewClustersAreDeleted(t *testing.T) {
	effect := strikes(t, "kind: new-clusters, clusters: 2", func(t *testing.T, b *board) {
		require.Equal(t, []string{"5s create 2"}, b.journal())
	})
	require.Equal(t, world.Effect{RequestsAccepted: 1}, effect)
	strikesSimulation(t, "kind: new-clusters")
}
