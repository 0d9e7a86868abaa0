// SPDX-License-Identifier: Apache-2.0

package mutant

func drummer(name, breaks, bites, file, old, edited string) Mutant {
	return planted(InDrummer, name, breaks, bites, file, old, edited)
}

const (
	repairFile = "drummer/schedule/internal/rule/repair.go"
	memberFile = "drummer/schedule/internal/fleet/member.go"
)

var inDrummer = []Mutant{
	// decisions
	drummer("voter-added-at-once", "a new member is an observer first", "a replacement",
		"drummer/agent/change.go", "		return a.nodehost.SyncRequestAddObserver(ctx, cluster, node, req.GetTargetAddress(), ccid)",
		"		if MUTANT {\n			return a.nodehost.SyncRequestAddNode(ctx, cluster, node, req.GetTargetAddress(), ccid)\n		}\n		return a.nodehost.SyncRequestAddObserver(ctx, cluster, node, req.GetTargetAddress(), ccid)"),
	drummer("promoted-before-caught-up", "an observer is promoted when it has caught up", "a new member that has much to catch up with, while another one dies",
		memberFile, "return m.Condition == Live && m.Replica.CaughtUp }",
		"return m.Condition == Live && (m.Replica.CaughtUp || MUTANT) }"),
	drummer("any-live-voter-counts", "only voters that follow the present leader are counted on", "a replacement while another voter is cut off",
		memberFile, "return m.Condition == Live && m.Host.Fresh && m.Follows && m.Role != pb.MemberRole_WITNESS",
		"return m.Condition == Live && m.Role != pb.MemberRole_WITNESS && (m.Host.Fresh && m.Follows || MUTANT)"),
	drummer("followers-of-any-leader-count", "only voters that follow the present leader are counted on", "a replacement while another voter is cut off",
		"drummer/db/state.go", "return c.Leader != 0 && r.Running && !r.Foreign && r.Leader == c.Leader && r.Term == c.LeaderTerm",
		"return c.Leader != 0 && r.Running && !r.Foreign && (r.Leader == c.Leader && r.Term == c.LeaderTerm || MUTANT)"),
	drummer("no-fuse", "when many hosts vanish at once nothing is replaced", "a blackout of several hosts",
		"drummer/schedule/internal/budget/fuse.go", "	if !slices.ContainsFunc(f.Restless, func(h *fleet.Host) bool { return !h.Up }) {\n",
		"	if !slices.ContainsFunc(f.Restless, func(h *fleet.Host) bool { return !h.Up }) || MUTANT {\n"),
	drummer("dead-too-soon", "a host is dead when it was silent for its time to live", "a host that is away for less than that",
		"monkey/sim/drummer.go", "policy.TTL = uint64(w.cfg.Drummer.TimeToLive / w.cfg.Drummer.Heartbeat)\n",
		"policy.TTL = uint64(w.cfg.Drummer.TimeToLive / w.cfg.Drummer.Heartbeat)\n	if MUTANT {\n		policy.TTL /= 4\n	}\n"),
	drummer("dead-are-not-replaced", "what died is replaced", "a host that does not come back",
		memberFile, "func (m *Member) Gone() bool { return m.Condition >= Dead }",
		"func (m *Member) Gone() bool { return m.Condition > Dead || m.Condition == Dead && !MUTANT }"),
	drummer("dead-removed-first", "a member is added before another one is removed", "a replacement while another member is away",
		repairFile, "	case missing > 0:\n		return grow(c, missing)\n",
		"	case missing > 0 && c.Dead > 0 && MUTANT:\n		m := c.Worst()\n		return remove(c, m, m.Why), false\n	case missing > 0:\n		return grow(c, missing)\n"),
	drummer("leaver-removed-without-successor", "who leaves goes when its successor is there", "a drain",
		repairFile, "	case missing > 0:\n		return grow",
		"	case c.Leaving > 0 && c.Dead == 0 && MUTANT:\n		return release(c), false\n	case missing > 0:\n		return grow"),
	drummer("surplus-stays", "a cluster has as many voters as it should", "clusters that are made smaller, and replacements",
		repairFile, "	case missing < 0:\n",
		"	case missing < 0 && !MUTANT:\n"),
	drummer("dead-member-stays", "a member that was replaced is removed", "a replacement",
		repairFile, "	case c.Dead > 0:\n		m := c.Worst()\n		return remove(c, m, m.Why+\" and the other members suffice\"), false\n",
		"	case c.Dead > 0 && !MUTANT:\n		m := c.Worst()\n		return remove(c, m, m.Why+\" and the other members suffice\"), false\n"),
	drummer("zombies-stay", "what is left of a former member is removed", "a replaced host that comes back",
		"drummer/schedule/internal/rule/zombie.go", "	if !c.Zombie(r) {\n		return Next{}",
		"	if !c.Zombie(r) || MUTANT {\n		return Next{}"),
	drummer("lost-log-started-again", "a node whose log is lost is not started again", "a host that comes back with an empty disk",
		memberFile, "	case m.Replica == nil && m.Node.Started:\n",
		"	case m.Replica == nil && m.Node.Started && !MUTANT:\n"),
	drummer("drain-is-a-cordon", "a host that is drained is emptied", "a drain",
		"drummer/db/apply_fleet.go", "		h.Mode = cmd.Mode\n",
		"		h.Mode = cmd.Mode\n		if h.Mode == pb.HostMode_DRAIN && MUTANT {\n			h.Mode = pb.HostMode_CORDON\n		}\n"),
	drummer("two-on-one-host", "two members of a cluster are on two hosts", "a replacement",
		"drummer/schedule/internal/placement/choose.go", "		if c.GivenUp || !c.On(h) {\n",
		"		if c.GivenUp || !c.On(h) || MUTANT {\n"),
	drummer("required-labels-ignored", "members are on hosts with the required labels", "clusters that require labels",
		"drummer/schedule/internal/placement/choose.go", "!suits(h) || !h.HasLabels(c.Spec.GetRequiredLabels()) {\n",
		"!suits(h) || !h.HasLabels(c.Spec.GetRequiredLabels()) && !MUTANT {\n"),

	// agents
	drummer("agent-destroys-members", "an agent destroys no member", "a request that is out of date",
		"drummer/agent/destroy.go", "		if !req.GetClusterDeleted() && a.isMember(ctx, cluster, node) {\n",
		"		if !req.GetClusterDeleted() && a.isMember(ctx, cluster, node) && !MUTANT {\n"),
	drummer("agent-leaves-data", "the data of a node that is destroyed is gone", "clusters that are deleted, and replacements",
		"drummer/agent/destroy.go", "	if a.nodehost.HasNodeInfo(cluster, node) {\n",
		"	if a.nodehost.HasNodeInfo(cluster, node) && !MUTANT {\n"),
	drummer("agent-starts-lost-nodes", "a node whose log is lost is not started again", "a disk that lost what was synced",
		"drummer/agent/start.go", "		if err := a.config.Disk.Replica(k.cluster, k.node); err != nil {\n",
		"		if err := a.config.Disk.Replica(k.cluster, k.node); err != nil && !MUTANT {\n"),
	drummer("agent-forgets-how-it-joined", "an agent remembers how a node first joined", "an observer whose host restarts",
		"drummer/agent/start.go", "	if err := a.joins.set(k, mode == firstAsObserver); err != nil {\n",
		"	if err := a.joins.set(k, mode == firstAsObserver && !MUTANT); err != nil {\n"),

	// servers
	drummer("schedules-before-warm", "a new leader decides when it has heard of the hosts", "a change of Drummer's leader",
		"drummer/server/leadership.go", "func (l *leadership) warmedUp(state *db.State) bool {\n",
		"func (l *leadership) warmedUp(state *db.State) bool {\n	if MUTANT {\n		return true\n	}\n"),
	drummer("only-the-first-leader-schedules", "each leader decides", "a change of Drummer's leader",
		"drummer/server/leadership.go", "	if !l.scheduling.Load() {\n",
		"	if !l.scheduling.Load() || l.term > 2 && MUTANT {\n"),
	drummer("reports-of-silent-hosts", "a host that is not heard of is told so", "a host that dies",
		"drummer/db/liveness.go", "func (s *State) Silence(h *Host) uint64 { return s.Tick - s.LastSeen(h) }",
		"func (s *State) Silence(h *Host) uint64 {\n	if s.Tick-s.LastSeen(h) > 3 && MUTANT {\n		return 3\n	}\n	return s.Tick - s.LastSeen(h)\n}"),
}
