// SPDX-License-Identifier: Apache-2.0

package invariant

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

var _ = define(Check{
	Key:          "writes",
	Name:         "acknowledged writes present",
	Doc:          "Every key holds at the end what writes that were asked for left there, and no acknowledged write is missing.",
	Needs:        []Need{needClusters},
	AfterHealing: true,
	Applies:      ofKeys,
}, judgeWrites)

// judgeWrites looks at the end only; everything between is the matter of
// linearizability. Every cluster needs an acknowledged write, and every key with
// one a read after healing.
//
// A value to which was appended is taken apart into what a put or a cas left
// and what was appended after it: by the names of the writes, where they are
// known, else by looking for any way to do so that the times of the writes
// allow.
func judgeWrites(j *judgement, f *Facts, _ *noSettings) string {
	keys := writesByKey(f.Ops)
	readAt := make(map[string]int64)
	looked := make(map[uint64]int) // acknowledged writes, by cluster
	writes := 0
	for _, final := range f.Finals {
		k := keys[final.Key]
		if k == nil {
			k = &keyWrites{}
		}
		k.judge(j, final)
		writes += len(k.all)
		looked[final.Cluster] += len(k.acked)
		readAt[final.Key] = max(readAt[final.Key], final.At)
	}
	notRead(j, f, keys, readAt)
	for _, c := range f.Clusters {
		if looked[c.Cluster] == 0 {
			j.inconclusive("cluster %d: no key that an acknowledged write went to was read after healing", c.Cluster)
		}
	}
	return fmt.Sprintf("%d keys of %d clusters hold what %d writes left there", len(readAt), len(looked), writes)
}

// notRead says which acknowledged writes nobody looked for after healing. Keys
// of clusters that are not there at the end can't be read.
func notRead(j *judgement, f *Facts, keys map[string]*keyWrites, readAt map[string]int64) {
	for _, key := range sortedKeys(keys) {
		k := keys[key]
		if len(k.acked) == 0 {
			continue
		}
		cluster := k.acked[0].Cluster
		if cluster != 0 && !slices.ContainsFunc(f.Clusters, func(c Cluster) bool { return c.Cluster == cluster }) {
			continue
		}
		at, read := readAt[key]
		last := slices.MaxFunc(k.acked, func(a, b *history.Op) int { return cmp.Compare(a.Return, b.Return) })
		switch {
		case !read:
			j.inconclusive("key %s was written and not read after healing", key)
		case last.Return > at:
			j.inconclusive("key %s was last read at %s, before client %d's %s of it was acknowledged at %s",
				key, seconds(at), last.Client, last.Kind, seconds(last.Return))
		}
	}
}

// keyWrites are the writes on a key that took effect, or may have.
type keyWrites struct {
	all     []*history.Op
	acked   []*history.Op // the last called first
	byName  map[string]*history.Op
	unnamed bool                     // some write has no name
	other   *history.Op              // of a kind that this check does not understand
	absents []*history.Op            // that leave the key absent
	puts    map[string][]*history.Op // by the value that they leave, the last called first
	appends map[string][]*history.Op // by what they append, likewise
	lengths []int                    // of what is appended
}

func writesByKey(ops []history.Op) map[string]*keyWrites {
	keys := make(map[string]*keyWrites)
	for i := range ops {
		op := &ops[i]
		if op.Outcome == history.Fail || !op.Kind.Mutates() {
			continue
		}
		if keys[op.Key] == nil {
			keys[op.Key] = &keyWrites{byName: map[string]*history.Op{}, puts: map[string][]*history.Op{}, appends: map[string][]*history.Op{}}
		}
		keys[op.Key].add(op)
	}
	for _, k := range keys {
		lastFirst(k.acked)
		lastFirst(k.absents)
		for _, same := range k.puts {
			lastFirst(same)
		}
		for _, same := range k.appends {
			lastFirst(same)
		}
		slices.Sort(k.lengths)
		k.lengths = slices.Compact(k.lengths)
	}
	return keys
}

func lastFirst(ops []*history.Op) {
	slices.SortStableFunc(ops, func(a, b *history.Op) int { return cmp.Compare(b.Call, a.Call) })
}

func (k *keyWrites) add(op *history.Op) {
	k.all = append(k.all, op)
	if op.Outcome == history.OK {
		k.acked = append(k.acked, op)
	}
	k.byName[op.Writer] = op
	k.unnamed = k.unnamed || op.Writer == ""
	text := op.Value.Text()
	switch {
	case op.Kind == history.Append:
		k.appends[text] = append(k.appends[text], op)
		k.lengths = append(k.lengths, len(text))
	case op.Kind == history.Delete, op.Kind == history.Put && op.Value.IsAbsent(), op.Kind == history.Cas && op.Value.IsAbsent():
		k.absents = append(k.absents, op)
	case op.Kind == history.Put, op.Kind == history.Cas:
		k.puts[text] = append(k.puts[text], op)
	default:
		k.other = op
	}
}

// judge judges what a key was read to hold.
func (k *keyWrites) judge(j *judgement, final Final) {
	if k.other != nil {
		j.inconclusive("key %s: what a %s leaves is not known here", final.Key, k.other.Kind)
		return
	}
	p := newProvenance(k, final)
	value := p.value()
	switch found := p.find(); {
	case found:
	case p.steps < 0:
		j.inconclusive("key %s: there are too many ways to take apart %s", final.Key, value)
	case p.lost == nil && len(k.appends) == 0:
		j.violation("key %s holds %s at the end, which nobody wrote before", final.Key, value)
	case p.lost == nil:
		j.violation("key %s holds %s at the end, which the writes that were asked for before can't leave in any order", final.Key, value)
	case p.lost.Kind == history.Append:
		j.violation("key %s holds %s at the end, without %s that client %d appended, acknowledged at %s",
			final.Key, value, p.lost.Value, p.lost.Client, seconds(p.lost.Return))
	default:
		what := string(p.lost.Kind)
		if p.lost.Kind != history.Delete {
			what += " of " + p.lost.Value.String()
		}
		j.violation("key %s holds %s at the end, although client %d's later %s was acknowledged at %s",
			final.Key, value, p.lost.Client, what, seconds(p.lost.Return))
	}
}
