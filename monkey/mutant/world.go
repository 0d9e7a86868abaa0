// SPDX-License-Identifier: Apache-2.0

package mutant

var inWorld = []Mutant{
	planted("sync-of-snapshots-is-a-lie", "a file that was synced is on the disk", "a power loss after a snapshot",
		"monkey/sim/simdisk/handle.go", "	case n.file != nil:\n		n.file.sync()\n",
		"	case n.file != nil && len(h.name) > 7 && h.name[len(h.name)-7:] == \".gbsnap\" && MUTANT:\n	case n.file != nil:\n		n.file.sync()\n"),
	planted("sync-of-folders-is-a-lie", "a file whose folder was synced is there", "a power loss after a file was made",
		"monkey/sim/simdisk/handle.go", "	default:\n		n.dir.sync()\n",
		"	default:\n		if !MUTANT {\n			n.dir.sync()\n		}\n"),
	planted("memlog-votes-unsaved", "a vote is saved before it is given", "a restart between two votes in one term",
		"monkey/sim/memlog/logdb.go", "!pb.IsEmptyState(u.State) && (r == nil || r.state == nil || *r.state != u.State) {\n",
		"!pb.IsEmptyState(u.State) && (r == nil || r.state == nil || *r.state != u.State) && !(r != nil && r.state != nil && r.state.Vote != u.State.Vote && u.State.Vote != 0 && MUTANT) {\n"),
	planted("memlog-keeps-overwritten-entries", "what replaces an entry of the log takes the place of all that follow", "a follower whose uncommitted entries are replaced by fewer ones, and that then restarts",
		"monkey/sim/memlog/replica.go", "	r.entries = r.entries[:kept]\n",
		"	if tail := len(r.entries) - kept; tail > len(entries) && MUTANT {\n		for i, e := range entries {\n			e.Cmd = bytes.Clone(e.Cmd)\n			r.entries[kept+i] = e\n		}\n		return\n	}\n	r.entries = r.entries[:kept]\n"),
	planted("message-after-death", "a process that has ended is heard no more", "messages under way from a host that is killed",
		"monkey/sim/simnet/link.go", "	case !d.from.sent(d.departs) || !d.to.enter():\n",
		"	case !d.from.sent(d.departs) && !MUTANT || !d.to.enter():\n"),
	planted("message-across-a-cut", "a cut link carries nothing", "a partition",
		"monkey/sim/simnet/link.go", "	case l.q.Cut:\n		l.counts.CutOff += msgs\n	case d.resets",
		"	case l.q.Cut && !MUTANT:\n		l.counts.CutOff += msgs\n	case d.resets"),
}
