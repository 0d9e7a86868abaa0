// SPDX-License-Identifier: Apache-2.0

package workload

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/world"
)

// MemberAnswers says which members of a cluster answer.
type MemberAnswers struct {
	Cluster  uint64
	Answered int      // members
	Silent   []string // the hosts of the others
	Took     time.Duration
}

// AskMembers reads a key through every member of the clusters, by itself, and goes on
// until each has answered or ctx ends. All of that is part of the history. It returns
// one MemberAnswers a cluster, in their order; nothing for operations of a test's own.
// Call it after Run.
func (w *Workload) AskMembers(ctx context.Context, clusters []uint64) ([]MemberAnswers, error) {
	if w.operations != nil {
		return nil, nil
	}
	answers := make([]MemberAnswers, len(clusters))
	return answers, w.each(ctx, clusters, func(ctx context.Context, i int, drawn *rand.Rand) (err error) {
		answers[i], err = w.askMembers(ctx, clusters[i], drawn)
		return err
	})
}

// oneMember is a Target that asks one member of a cluster and no other.
type oneMember struct {
	Target
	address string
}

// Locate implements Target.
func (o oneMember) Locate(context.Context, uint64) ([]Member, error) {
	return []Member{{Address: o.address, Running: true}}, nil
}

// askMembers asks those that are members by then: they may change meanwhile.
func (w *Workload) askMembers(ctx context.Context, cluster uint64, drawn *rand.Rand) (MemberAnswers, error) {
	began := time.Now()
	answers := MemberAnswers{Cluster: cluster}
	done := map[string]bool{}
	for {
		w.target.Forget(cluster)
		members, locateErr := w.target.Locate(ctx, cluster)
		answers.Silent = nil
		for _, m := range members {
			if !m.Running || done[m.Address] {
				continue
			}
			reader := w.newWorker(oneMember{w.target, m.Address}, false, newKnown())
			outcome, err := reader.do(ctx, intent{cluster: cluster, key: keyName(cluster, 0), kind: history.Get, random: drawn.Uint64()})
			switch {
			case err != nil:
				return answers, err
			case outcome == history.OK:
				done[m.Address] = true
			default:
				answers.Silent = append(answers.Silent, world.HostOf(m.Address))
			}
		}
		if locateErr == nil && len(answers.Silent) == 0 || ctx.Err() != nil {
			answers.Answered, answers.Took = len(done), time.Since(began)
			return answers, nil
		}
		pause(ctx, answerBackoff)
	}
}
