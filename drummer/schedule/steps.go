// SPDX-License-Identifier: Apache-2.0

package schedule

import (
	"fmt"

	"github.com/drumbeat-raft/drumbeat/drummer/db"
	pb "github.com/drumbeat-raft/drumbeat/drummer/drummerpb"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/fleet"
	"github.com/drumbeat-raft/drumbeat/drummer/schedule/internal/rule"
)

// What is here takes the step that a rule asks for, if the budget has room for it.

// launch places a cluster that never was: all members, or none. A placement of
// which a member can't be started, and too few were, is given up for another.
func (d *decision) launch(c *fleet.Cluster) {
	if why := rule.Unplaceable(c); why != "" {
		d.waits(c.ID, "%s", why)
		return
	}
	c.GivenUp = true
	hosts, why := d.placement.All(c)
	switch {
	case why != "":
		d.waits(c.ID, "%s", why)
		return
	case !d.budget.Room(len(hosts)):
		d.waits(c.ID, "other operations to end, there are as many as the policy allows")
		return
	}
	for _, h := range hosts {
		d.placement.CountNode(h)
	}
	for _, s := range rule.Launch(c, hosts) {
		d.operate(c, s)
	}
}

// form starts the members of a cluster that was placed but never heard of
// as a whole.
func (d *decision) form(c *fleet.Cluster) {
	d.start(c)
	d.waits(c.ID, "its members to report%s", c.Ailments())
}

// start starts the members that do not run.
func (d *decision) start(c *fleet.Cluster) {
	for _, m := range c.Members() {
		d.take(c, rule.Start(c, m))
	}
}

// change takes the next membership change of a cluster towards its specification.
func (d *decision) change(c *fleet.Cluster) {
	if why := rule.Unchangeable(c); why != "" {
		d.waits(c.ID, "%s", why)
		return
	}
	if !d.budget.Ready(c.Config) {
		d.waits(c.ID, "another try to change the membership, after %d failed", c.Config.Failures)
		return
	}
	next, newMember := rule.Repair(c, d.placement.Surplus)
	if newMember {
		d.addMember(c)
		return
	}
	d.take(c, next)
}

// addMember adds an observer where there is a place for it.
func (d *decision) addMember(c *fleet.Cluster) {
	why := d.budget.JoinPause(c)
	if why == "" {
		why = d.budget.Blown(c)
	}
	if why != "" {
		d.waits(c.ID, "%s", why)
		return
	}
	target, why := d.placement.Target(c)
	if target == nil {
		d.take(c, rule.MakeRoom(c, why))
		return
	}
	if d.take(c, rule.AddObserver(c, target, nil, rule.Purpose(c))) {
		d.placement.CountNode(target)
		d.budget.CountJoin(target)
	}
}

// clean has zombies stopped and their data removed: replicas of nodes that
// are no members any more, on hosts that are up.
func (d *decision) clean(c *fleet.Cluster) {
	for i := range c.Replicas {
		d.take(c, rule.Destroy(c, &c.Replicas[i]))
	}
}

// take takes the step that a rule asks for, unless the budget has no room; it
// reports whether it did.
func (d *decision) take(c *fleet.Cluster, next rule.Next) bool {
	if next.Wait != "" {
		d.waits(c.ID, "%s", next.Wait)
	}
	s := next.Step
	if s == nil {
		return false
	}
	wait := ""
	switch {
	case s.Attempt != nil && !d.budget.Reported(*s.Attempt):
		wait = s.Retry
	case s.Starts != nil && !d.budget.MayStart(s.Starts):
		wait = fmt.Sprintf("tick %d, to %s again after it stopped soon %d times", d.budget.StartsAt(s.Starts), s.What, s.Starts.Stops)
	case s.NeedsWord && !s.Host.Fresh:
		wait = fmt.Sprintf("a word from %s, to %s", s.Host.ID(), s.What)
	case !d.budget.Free(s.Host):
		wait = fmt.Sprintf("a free slot on %s, to %s", s.Host.ID(), s.What)
	default:
		d.operate(c, s)
		return true
	}
	if s.What != "" {
		d.waits(c.ID, "%s", wait)
	}
	return false
}

// operate adds an operation to the plan.
func (d *decision) operate(c *fleet.Cluster, s *rule.Step) {
	s.Request.ClusterId = c.ID
	state := d.fleet.State
	op := &pb.Operation{
		Request:        s.Request,
		Reason:         s.Reason,
		DecidedAtIndex: state.Index,
		DecidedAtTick:  state.Tick,
		DeadlineTick:   state.Tick + d.fleet.Policy.OperationDeadline,
	}
	d.operations = append(d.operations, op)
	d.budget.Count(op)
	d.waits(c.ID, "%s", db.Describe(s.Request))
}
