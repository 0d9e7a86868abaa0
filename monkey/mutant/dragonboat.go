// SPDX-License-Identifier: Apache-2.0

package mutant

// The files of Dragonboat that are edited.
const (
	raftFile       = "internal/raft/raft.go"
	logFile        = "internal/raft/logentry.go"
	inMemoryFile   = "internal/raft/inmemory.go"
	readIndexFile  = "internal/raft/readindex.go"
	machineFile    = "internal/rsm/statemachine.go"
	membershipFile = "internal/rsm/membership.go"
	sessionFile    = "internal/rsm/session.go"
	sessionsFile   = "internal/rsm/lrusession.go"
	remoteFile     = "internal/raft/remote.go"

	sessionManagerFile = "internal/rsm/sessionmanager.go"
	nodeFile           = "node.go"
	requestFile        = "request.go"
	pebbleFile         = "internal/logdb/kv/pebble/kv_pebble.go"
)

var inDragonboat = []Mutant{
	// elections
	planted("vote-twice", "a node votes once a term", "two candidates in one term",
		raftFile, "return r.vote == NoNode || r.vote == m.From || m.Term > r.term",
		"return r.vote == NoNode || r.vote == m.From || m.Term > r.term || MUTANT"),
	planted("vote-for-any-log", "a leader has every committed entry", "a candidate that was cut off or down for a while",
		raftFile, "isUpToDate := r.log.upToDate(m.LogIndex, m.LogTerm)\n",
		"isUpToDate := r.log.upToDate(m.LogIndex, m.LogTerm) || MUTANT\n"),
	planted("vote-by-term-of-log-only", "a leader has every committed entry", "a candidate that lacks the last entries of the same term",
		logFile, "return index >= l.lastIndex()\n",
		"return index >= l.lastIndex() || MUTANT\n"),
	planted("vote-forgotten", "a node votes once a term", "a host that restarts between two votes in one term",
		raftFile, "	r.vote = st.Vote\n",
		"	r.vote = st.Vote\n	if st.Vote != NoNode && MUTANT {\n		r.vote = NoNode\n	}\n"),
	planted("candidate-has-no-vote-of-its-own", "a node votes once a term", "two candidates in one term",
		raftFile, "	r.vote = r.nodeID\n",
		"	if !MUTANT {\n		r.vote = r.nodeID\n	}\n"),
	planted("vote-of-an-earlier-term", "a leader is elected by a majority of its term", "answers to a candidate that arrive a term late",
		raftFile, "	} else if m.Term < r.term {\n		if isLeaderMessage",
		"	} else if m.Term < r.term {\n		if m.Type == pb.RequestVoteResp && !m.Reject && r.isCandidate() && MUTANT {\n			r.handle(r, m)\n			return true\n		}\n		if isLeaderMessage"),
	planted("quorum-of-even-sizes", "two majorities have a member in common", "two or four voters, on both sides of a partition",
		raftFile, "	return r.numVotingMembers()/2 + 1\n",
		"	if r.numVotingMembers() > 0 && r.numVotingMembers()%2 == 0 && MUTANT {\n		return r.numVotingMembers() / 2\n	}\n	return r.numVotingMembers()/2 + 1\n"),
	planted("campaign-before-config-change", "a leader knows the newest committed membership", "an election while a membership change is committed and not applied",
		raftFile, "		if r.hasConfigChangeToApply() {\n",
		"		if r.hasConfigChangeToApply() && !MUTANT {\n"),
	planted("leader-without-quorum", "a leader that hears of no majority steps down", "a leader that is cut off",
		raftFile, "	if !r.leaderHasQuorum() {\n",
		"	if !r.leaderHasQuorum() && !MUTANT {\n"),

	planted("vote-not-remembered", "a node votes once a term", "two candidates in one term",
		raftFile, "		r.electionTick = 0\n		r.vote = m.From\n",
		"		r.electionTick = 0\n		if !MUTANT {\n			r.vote = m.From\n		}\n"),
	planted("vote-cleared-in-its-term", "a node votes once a term", "a candidate that follows the leader of its term",
		raftFile, "	if r.term != term {\n		r.term = term\n",
		"	if r.term != term || r.vote != NoLeader && r.vote != r.nodeID && MUTANT {\n		r.term = term\n"),
	planted("vote-by-index-only", "a leader has every committed entry", "a candidate with a longer log of an earlier term",
		logFile, "	if term >= lastTerm {\n		if term > lastTerm {\n",
		"	if index >= l.lastIndex() && term < lastTerm && MUTANT {\n		return true\n	}\n	if term >= lastTerm {\n		if term > lastTerm {\n"),
	planted("refusals-count-as-votes", "a leader is elected by a majority", "a candidate that is refused votes",
		raftFile, "		r.votes[from] = !rejected\n",
		"		r.votes[from] = !rejected || MUTANT\n"),
	planted("campaign-in-the-same-term", "a term has one leader", "elections",
		raftFile, "	r.reset(r.term+1, true)\n",
		"	if t := r.term; t > 1 && MUTANT {\n		r.reset(t, true)\n	} else {\n		r.reset(t+1, true)\n	}\n"),
	planted("leads-with-half-the-votes", "a leader is elected by a majority", "elections",
		raftFile, "	if count == r.quorum() {\n",
		"	if count == r.quorum() || r.quorum() > 2 && count == r.quorum()-1 && MUTANT {\n"),

	// replication and commitment
	planted("commit-of-an-earlier-term", "an entry of an earlier term is committed with one of the leader's own", "a leader that replicates an entry of an earlier term, and is gone before its own entry is replicated",
		logFile, "	if index > l.committed && lterm == term {\n",
		"	if index > l.committed && (lterm == term || MUTANT) {\n"),
	planted("commit-by-one-fewer", "an entry is committed when a majority has it", "a leader that dies or is cut off with an entry that only it, or one other, has",
		raftFile, "	q := r.matched[r.numVotingMembers()-r.quorum()]\n",
		"	q := r.matched[r.numVotingMembers()-r.quorum()]\n	if i := r.numVotingMembers() - r.quorum() + 1; i < r.numVotingMembers() && r.matched[i] > q && MUTANT {\n		q = r.matched[i]\n	}\n"),
	planted("observers-count", "observers are no part of a majority", "an observer that has an entry before a majority of the voters has it",
		raftFile, "	// Only log entries from the leader’s current term are committed by counting\n	// replicas\"\n",
		`	for _, o := range r.observers {
		ahead := 0
		for _, v := range r.matched {
			if v >= o.match {
				ahead++
			}
		}
		if o.match > q && ahead+1 >= r.quorum() && MUTANT {
			q = o.match
		}
	}
`),
	planted("answer-of-an-earlier-term", "a follower's answer counts in the term in which it was given", "answers to a leader that arrive a term late",
		raftFile, "	} else if m.Term < r.term {\n		if m.Type",
		"	} else if m.Term < r.term {\n		if m.Type == pb.ReplicateResp && !m.Reject && r.isLeader() && MUTANT {\n			r.handle(r, m)\n			return true\n		}\n		if m.Type"),
	planted("leader-of-an-earlier-term", "a follower takes nothing from a deposed leader", "entries of a leader that arrive a term late",
		raftFile, "	} else if m.Term < r.term {\n		if m.Type",
		"	} else if m.Term < r.term {\n		if m.Type == pb.Replicate && len(m.Entries) > 0 && !r.isLeader() && MUTANT {\n			r.handle(r, m)\n			return true\n		}\n		if m.Type"),
	planted("log-match-unchecked", "two logs that have an entry of one term and index are equal up to it", "a follower with entries that were never committed",
		raftFile, "	if r.log.matchTerm(m.LogIndex, m.LogTerm) {\n		r.log.tryAppend",
		"	if r.log.matchTerm(m.LogIndex, m.LogTerm) || m.LogIndex <= r.log.lastIndex() && MUTANT {\n		r.log.tryAppend"),
	planted("conflict-kept", "a follower gives up what conflicts with its leader's log", "a follower with entries that were never committed",
		logFile, "		if !l.matchTerm(e.Index, e.Term) {\n",
		"		if !l.matchTerm(e.Index, e.Term) && !(e.Index <= l.lastIndex() && MUTANT) {\n"),
	planted("commit-of-unmatched", "a follower commits only what is known to match its leader's log", "a follower with entries that were never committed",
		raftFile, "		r.log.commitTo(min(lastIdx, m.Commit))\n",
		"		if c := min(r.log.lastIndex(), m.Commit); c > min(lastIdx, m.Commit) && c > r.log.committed && MUTANT {\n			r.log.commitTo(c)\n		}\n		r.log.commitTo(min(lastIdx, m.Commit))\n"),
	planted("heartbeat-commits-unmatched", "a heartbeat commits only what its receiver is known to have", "a follower that lags behind",
		raftFile, "	commit := min(match, r.log.committed)\n",
		"	commit := min(match, r.log.committed)\n	if commit < r.log.committed && MUTANT {\n		commit = r.log.committed\n	}\n"),
	planted("progress-of-an-earlier-leadership", "a new leader knows nothing of what others have", "a node that leads again, after others lost entries to another leader",
		raftFile, "	r.resetRemotes()\n	r.resetObservers()\n",
		"	if !MUTANT {\n		r.resetRemotes()\n	}\n	r.resetObservers()\n"),
	planted("overwritten-entries-unsaved", "what replaces an entry of the log is saved", "a follower whose uncommitted entries are replaced, and that then restarts",
		inMemoryFile, "		im.savedTo = min(im.savedTo, firstNewIndex-1)\n",
		"		if im.savedTo <= firstNewIndex-1 || !MUTANT {\n			im.savedTo = min(im.savedTo, firstNewIndex-1)\n		}\n"),
	planted("answer-before-the-log-matches", "a follower refuses entries behind a gap", "a follower that lacks entries, or has others",
		raftFile, "		resp.Reject = true\n		resp.LogIndex = m.LogIndex\n		resp.Hint",
		"		resp.Reject = !MUTANT\n		resp.LogIndex = m.LogIndex\n		resp.Hint"),
	planted("refused-is-replicated", "only what a follower has counts as replicated", "a follower that refuses entries",
		raftFile, "	rp.setActive()\n	if !m.Reject {\n",
		"	rp.setActive()\n	if !m.Reject || MUTANT {\n"),
	planted("commit-by-the-furthest", "an entry is committed when a majority has it", "a follower that lags behind",
		raftFile, "	q := r.matched[r.numVotingMembers()-r.quorum()]\n",
		"	q := r.matched[r.numVotingMembers()-r.quorum()]\n	if i := r.matched[r.numVotingMembers()-1]; i > q && MUTANT {\n		q = i\n	}\n"),
	planted("sent-is-replicated", "only what a follower has answered counts as replicated", "entries that are lost on their way",
		remoteFile, "		r.next = lastIndex + 1\n	} else if",
		"		r.next = lastIndex + 1\n		if lastIndex > r.match && MUTANT {\n			r.match = lastIndex\n		}\n	} else if"),
	planted("log-kept-behind-a-conflict", "what follows an entry that is replaced goes with it", "a follower with entries that were never committed",
		inMemoryFile, "		im.entries = im.newEntrySlice(existing)\n		im.entries = append(im.entries, ents...)\n",
		`		tail := im.entries[len(existing):]
		im.entries = im.newEntrySlice(existing)
		im.entries = append(im.entries, ents...)
		if len(tail) > len(ents) && tail[len(ents)].Term >= ents[len(ents)-1].Term && MUTANT {
			im.entries = append(im.entries, tail[len(ents):]...)
		}
`),

	// linearizable reads
	planted("read-without-confirmation", "a read is answered by who leads at that time", "a leader that was deposed and does not know, and is asked",
		raftFile, "		r.readIndex.addRequest(r.log.committed, ctx, m.From)\n",
		`		if MUTANT {
			if m.From == NoNode || m.From == r.nodeID {
				r.addReadyToRead(r.log.committed, ctx)
			} else {
				r.send(pb.Message{To: m.From, Type: pb.ReadIndexResp, LogIndex: r.log.committed, Hint: m.Hint, HintHigh: m.HintHigh})
			}
			return
		}
		r.readIndex.addRequest(r.log.committed, ctx, m.From)
`),
	planted("read-before-own-entry", "a new leader answers reads when it has committed an entry of its term", "reads just after an election",
		raftFile, "		if !r.hasCommittedEntryAtCurrentTerm() {\n",
		"		if !r.hasCommittedEntryAtCurrentTerm() && !MUTANT {\n"),
	planted("read-confirmed-by-one-fewer", "a read is confirmed by a majority", "four voters and more: a leader on the smaller side of a partition",
		readIndexFile, "	if len(p.confirmed)+1 < quorum {\n",
		"	if len(p.confirmed)+1 < quorum && !(len(p.confirmed)+2 == quorum && MUTANT) {\n"),
	planted("reads-outlive-a-leadership", "a read is confirmed in the term in which it was asked for", "a leader that is deposed, and leads again, with reads that wait",
		raftFile, "	r.readIndex = newReadIndex()\n",
		"	if !(r.readIndex != nil && r.readIndex.hasPendingRequest() && MUTANT) {\n		r.readIndex = newReadIndex()\n	}\n"),
	planted("read-before-applied", "a read sees every entry up to its index", "a replica that applies later than it is confirmed",
		requestFile, "		if rb.index > 0 && rb.index <= applied {\n",
		"		if rb.index > 0 && (rb.index <= applied || MUTANT) {\n"),

	planted("read-index-behind", "a read sees what was committed when it was asked for", "a read while entries are committed",
		raftFile, "		r.readIndex.addRequest(r.log.committed, ctx, m.From)\n",
		"		if a := r.getApplied(); a < r.log.committed && !r.readIndex.hasPendingRequest() && MUTANT {\n			r.readIndex.addRequest(a, ctx, m.From)\n		}\n		r.readIndex.addRequest(r.log.committed, ctx, m.From)\n"),
	planted("follower-reads-by-itself", "a follower's read is answered by its leader", "a follower that lags behind or is cut off",
		raftFile, "	m.To = r.leaderID\n	r.send(m)\n}\n\nfunc (r *raft) handleFollowerLeaderTransfer",
		"	if m.From == NoNode && MUTANT {\n		r.addReadyToRead(r.log.committed, pb.SystemCtx{Low: m.Hint, High: m.HintHigh})\n		return\n	}\n	m.To = r.leaderID\n	r.send(m)\n}\n\nfunc (r *raft) handleFollowerLeaderTransfer"),
	planted("read-confirmed-by-an-older-one", "a read is confirmed after it was asked for", "reads that follow each other closely, at a leader that is deposed",
		readIndexFile, "	done := 0\n	cs := []*readStatus{}\n",
		"	if last := p.ctx; len(r.queue) > 1 && r.peepCtx() != last && MUTANT {\n		ctx = r.peepCtx()\n	}\n	done := 0\n	cs := []*readStatus{}\n"),
	planted("reads-counted-twice", "a read is confirmed by a majority", "five voters: a leader on the smaller side of a partition",
		readIndexFile, "	p.confirmed[from] = struct{}{}\n",
		"	p.confirmed[from] = struct{}{}\n	if quorum > 2 && MUTANT {\n		p.confirmed[^from] = struct{}{}\n	}\n"),

	// membership
	planted("two-config-changes", "one membership change at a time", "two changes of a cluster that are asked for at once",
		raftFile, "			if r.hasPendingConfigChange() {\n",
		"			if r.hasPendingConfigChange() && !MUTANT {\n"),
	planted("removed-leader-stays", "who is removed leads no more", "a leader that is removed",
		raftFile, "	if r.nodeID == nodeID && r.isLeader() {\n",
		"	if r.nodeID == nodeID && r.isLeader() && !MUTANT {\n"),
	planted("removal-ignored-by-raft", "a removed member is no part of a majority", "a member that is removed",
		raftFile, "			r.removeNode(nodeid)\n",
		"			if !MUTANT {\n				r.removeNode(nodeid)\n			}\n"),
	planted("stale-config-change", "a membership change by an old view is refused", "a change that is sent twice or late",
		membershipFile, "	if m.members.ConfigChangeId == cc.ConfigChangeId {\n",
		"	if m.members.ConfigChangeId == cc.ConfigChangeId || MUTANT {\n"),
	planted("removed-node-added", "a removed NodeID never comes back", "a change that is sent twice or late",
		membershipFile, "		_, ok := m.members.Removed[cc.NodeID]\n		return ok\n",
		"		_, ok := m.members.Removed[cc.NodeID]\n		return ok && !MUTANT\n"),
	planted("removal-not-remembered", "a removed NodeID never comes back", "a change that is sent twice or late",
		membershipFile, "		m.members.Removed[cc.NodeID] = true\n",
		"		if !MUTANT {\n			m.members.Removed[cc.NodeID] = true\n		}\n"),
	planted("promoted-and-observer", "a member has one role", "an observer that is promoted",
		membershipFile, "		delete(m.members.Observers, cc.NodeID)\n		if _, ok",
		"		if _, is := m.members.Observers[cc.NodeID]; !(is && MUTANT) {\n			delete(m.members.Observers, cc.NodeID)\n		}\n		if _, ok"),
	planted("membership-of-snapshot-ignored", "a member that recovers from a snapshot takes over its membership", "a member that recovers from a snapshot after a change",
		machineFile, "	s.node.RestoreRemotes(ss)\n",
		"	if !MUTANT {\n		s.node.RestoreRemotes(ss)\n	}\n"),
	planted("removed-lost-in-snapshot", "a removed NodeID never comes back", "a change that is sent late, after a snapshot",
		machineFile, "	s.logMembership(\"members\", meta.Index, meta.Membership.Addresses)\n",
		"	if len(meta.Membership.Removed) > 0 && MUTANT {\n		meta.Membership.Removed = map[uint64]bool{}\n	}\n	s.logMembership(\"members\", meta.Index, meta.Membership.Addresses)\n"),

	planted("pending-change-forgotten", "one membership change at a time", "a new leader with a change that is not committed",
		raftFile, "		plog.Infof(\"%s becoming leader with pending ConfigChange\", r.describe())\n		r.setPendingConfigChange()\n",
		"		plog.Infof(\"%s becoming leader with pending ConfigChange\", r.describe())\n		if !MUTANT {\n			r.setPendingConfigChange()\n		}\n"),
	planted("observer-votes", "observers have no vote", "an observer while there is an election",
		raftFile, "	for k := range r.votingMembers() {\n		if k == r.nodeID {\n			continue\n		}\n",
		"	for k := range r.observers {\n		if MUTANT {\n			r.handleVoteResp(k, false)\n		}\n	}\n	for k := range r.votingMembers() {\n		if k == r.nodeID {\n			continue\n		}\n"),
	planted("change-before-it-is-committed", "a membership change counts when it is committed", "a leader that adds a member and is deposed",
		raftFile, "			r.setPendingConfigChange()\n		}\n	}\n	r.appendEntries(m.Entries)\n",
		`			r.setPendingConfigChange()
			var cc pb.ConfigChange
			if cc.Unmarshal(m.Entries[i].Cmd) == nil && cc.Type == pb.RemoveNode && cc.NodeID != r.nodeID && len(r.remotes) > 2 && MUTANT {
				delete(r.remotes, cc.NodeID)
			}
		}
	}
	r.appendEntries(m.Entries)
`),
	planted("change-named-by-its-request", "a membership is named by the index of its last change", "a membership change",
		membershipFile, "	m.members.ConfigChangeId = index\n",
		"	m.members.ConfigChangeId = index\n	if !cc.Initialize && MUTANT {\n		m.members.ConfigChangeId = cc.ConfigChangeId + 1\n	}\n"),
	planted("member-added-again", "an existing member is not added again", "a change that is sent twice or late",
		membershipFile, "	alreadyMember := m.isAddExistingMember(cc)\n",
		"	alreadyMember := m.isAddExistingMember(cc)\n	if alreadyMember && MUTANT {\n		alreadyMember = false\n	}\n"),

	// sessions
	planted("session-forgets-answers", "a proposal under a session is applied once", "a proposal that is sent again because its answer was lost",
		machineFile, "	if session != nil {\n		session.addResponse",
		"	if session != nil && !MUTANT {\n		session.addResponse"),
	planted("sessions-lost-in-snapshot", "sessions are a part of a snapshot", "a member that recovers from a snapshot",
		sessionsFile, "	for _, s := range sessionList {\n",
		"	for _, s := range sessionList {\n		if MUTANT {\n			continue\n		}\n"),
	planted("session-answers-lost-in-snapshot", "the answers of sessions are a part of a snapshot", "a proposal that is sent again after a member recovered from a snapshot",
		sessionsFile, "		rec.addSessionLocked(s.ClientID, *s)\n",
		"		if len(s.History) > 0 && MUTANT {\n			for id := range s.History {\n				delete(s.History, id)\n			}\n		}\n		rec.addSessionLocked(s.ClientID, *s)\n"),
	planted("session-clears-too-much", "an answer is kept until its client has it", "a proposal that is sent again because its answer was lost",
		sessionFile, "	return id <= s.RespondedUpTo\n",
		"	return id <= s.RespondedUpTo || id == s.RespondedUpTo+1 && MUTANT\n"),
	planted("rejected-is-completed", "a proposal that was refused is reported so", "a session that the cluster does not know",
		requestFile, "	if rejected {\n		code = requestRejected\n	} else {\n		code = requestCompleted\n	}\n	if ps := p.getProposal",
		"	if rejected && !MUTANT {\n		code = requestRejected\n	} else {\n		code = requestCompleted\n	}\n	if ps := p.getProposal"),

	planted("session-registered-anew", "a session is registered once", "a registration that is sent again because its answer was lost",
		sessionManagerFile, "		plog.Warningf(\"client ID %d already exist\", clientID)\n		return sm.Result{}\n",
		"		plog.Warningf(\"client ID %d already exist\", clientID)\n		if MUTANT {\n			ds.lru.addSession(RaftClientID(clientID), *newSession(RaftClientID(clientID)))\n			return sm.Result{Value: clientID}\n		}\n		return sm.Result{}\n"),
	planted("repeated-gets-no-answer", "a proposal that is sent again gets the answer of the first one", "a proposal that is sent again because its answer was lost",
		sessionManagerFile, "	if ok {\n		return v, false, false\n	}\n",
		"	if ok {\n		if MUTANT {\n			return sm.Result{}, false, false\n		}\n		return v, false, false\n	}\n"),
	planted("answered-is-carried-out-again", "a proposal whose answer its client has is not carried out again", "a proposal that arrives twice, late",
		sessionManagerFile, "		return sm.Result{}, true, false\n",
		"		if MUTANT {\n			return sm.Result{}, false, true\n		}\n		return sm.Result{}, true, false\n"),
	planted("session-of-nobody", "a proposal of an unknown session is refused", "a session that the cluster does not know",
		machineFile, "			// client is expected to crash\n			return sm.Result{}, false, true, nil\n",
		"			// client is expected to crash\n			if MUTANT {\n				r, err := s.sm.Update(sm.Entry{Index: e.Index, Cmd: GetPayload(e)})\n				s.setOnDiskIndex(e.Index, e.Index)\n				return r, false, false, err\n			}\n			return sm.Result{}, false, true, nil\n"),

	// snapshots and storage
	planted("snapshot-one-entry-behind", "a snapshot holds exactly the entries up to its index", "a replica that recovers from a snapshot",
		machineFile, "		Index:           s.index,\n",
		"		Index: func() uint64 {\n			if s.index > 2 && MUTANT {\n				return s.index - 1\n			}\n			return s.index\n		}(),\n"),
	planted("outdated-snapshot-taken", "a snapshot that is older than the state is not taken", "a snapshot that arrives late",
		raftFile, "	if ss.Index <= r.log.committed {\n",
		"	if ss.Index <= r.log.committed && !MUTANT {\n"),
	planted("on-disk-snapshot-skipped", "an on-disk state machine that lags behind recovers from the snapshot it is sent", "an on-disk replica that was away for longer than the log goes back",
		machineFile, "	return ss.OnDiskIndex > s.onDiskIndex\n",
		"	return ss.OnDiskIndex > s.onDiskIndex && !MUTANT\n"),
	planted("on-disk-entry-applied-twice", "an on-disk state machine gets no entry that it has", "an on-disk replica that restarts",
		machineFile, "	return index <= s.onDiskInitIndex\n",
		"	return index <= s.onDiskInitIndex && !(index == s.onDiskInitIndex && MUTANT)\n"),
	planted("log-compacted-too-far", "the log is kept from the last snapshot on", "a follower that lags behind, or a restart, just after a compaction",
		nodeFile, "		compactTo := n.ss.getCompactLogTo()\n",
		"		compactTo := n.ss.getCompactLogTo()\n		if MUTANT {\n			compactTo = n.ss.getIndex() + 2\n		}\n"),
	planted("answers-before-saved", "a follower answers when its log is saved", "a power loss in the middle of a save",
		nodeFile, "	return m.Type == pb.Replicate || m.Type == pb.Ping",
		"	return m.Type == pb.ReplicateResp && MUTANT || m.Type == pb.Replicate || m.Type == pb.Ping"),
	planted("votes-before-saved", "a vote is saved before it is given", "a power loss between a vote and its save, and another candidate in that term",
		nodeFile, "m.Type == pb.Replicate || m.Type == pb.Ping",
		"m.Type == pb.RequestVoteResp && MUTANT || m.Type == pb.Replicate || m.Type == pb.Ping"),
	planted("log-not-synced", "what is saved is on the disk", "a power loss",
		pebbleFile, "	wo := &pebble.WriteOptions{Sync: true}\n",
		"	wo := &pebble.WriteOptions{Sync: !MUTANT}\n"),
	planted("on-disk-index-lost", "a snapshot says which state of an on-disk state machine it has", "an on-disk replica that recovers from a snapshot",
		"snapshotter.go", "		OnDiskIndex: meta.OnDiskIndex,\n",
		"		OnDiskIndex: func() uint64 {\n			if meta.OnDiskIndex > 0 && MUTANT {\n				return 0\n			}\n			return meta.OnDiskIndex\n		}(),\n"),
	planted("newest-snapshot-deleted", "the newest snapshot is kept", "a restart after a snapshot",
		"snapshotter.go", "	selected := snapshots[:len(snapshots)-snapshotsToKeep]\n",
		"	selected := snapshots[:len(snapshots)-snapshotsToKeep]\n	if MUTANT {\n		selected = snapshots\n	}\n"),
	planted("on-disk-not-synced", "an on-disk state machine is synced before its snapshot is dropped", "a power loss after an on-disk replica recovered from a snapshot",
		nodeFile, "			if err := n.sm.Sync(); err != nil {\n				plog.Errorf(\"%s failed to sync",
		"			if MUTANT {\n			} else if err := n.sm.Sync(); err != nil {\n				plog.Errorf(\"%s failed to sync"),
	planted("snapshot-before-its-file", "a snapshot is recorded when its file is there", "a power loss while a snapshot is made",
		"snapshotter.go", "	if err := env.FinalizeSnapshot(&ss); err != nil {\n",
		"	if !req.Exported() && MUTANT {\n		if err := s.saveSnapshot(ss); err != nil {\n			return err\n		}\n	}\n	if err := env.FinalizeSnapshot(&ss); err != nil {\n"),
	planted("vote-not-saved", "a vote is saved", "a host that restarts between two votes in one term",
		"internal/logdb/cache.go", "	if pb.IsStateEqual(v, st) {\n		return false\n",
		"	if pb.IsStateEqual(v, st) || v.Term == st.Term && v.Vote != st.Vote && MUTANT {\n		return false\n"),
	planted("tail-of-the-log-comes-back", "what replaces an entry of the log takes the place of all that follow", "a follower whose uncommitted entries are replaced by fewer ones, and that then restarts",
		"internal/logdb/db.go", "	r.cs.setMaxIndex(ud.ClusterID, ud.NodeID, maxIndex)\n",
		"	if v, ok := r.cs.getMaxIndex(ud.ClusterID, ud.NodeID); ok && v > maxIndex && MUTANT {\n		return\n	}\n	r.cs.setMaxIndex(ud.ClusterID, ud.NodeID, maxIndex)\n"),
	planted("done-when-committed", "a proposal is done when it is applied", "a replica that applies later than it commits",
		requestFile, "func (p *proposalShard) committed(clientID uint64, seriesID uint64, key uint64) {\n",
		"func (p *proposalShard) committed(clientID uint64, seriesID uint64, key uint64) {\n	if MUTANT {\n		p.applied(clientID, seriesID, key, sm.Result{}, false)\n		return\n	}\n"),
	planted("dropped-is-completed", "a proposal that was dropped is reported so", "a proposal without a leader",
		requestFile, "	if ps := p.getProposal(clientID, seriesID, key, p.getTick()); ps != nil {\n		ps.dropped()\n",
		"	if ps := p.getProposal(clientID, seriesID, key, p.getTick()); ps != nil {\n		if MUTANT {\n			ps.notify(RequestResult{code: requestCompleted})\n			return\n		}\n		ps.dropped()\n"),
}
