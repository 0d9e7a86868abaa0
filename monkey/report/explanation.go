// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/draw"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

//go:embed explanation.html.tmpl
var explanationText string

var explanationTemplate = template.Must(template.New("explanation").Funcs(figures).Parse(explanationText))

// Explained is what a page about one violation is made from.
type Explained struct {
	Result   *judge.Result
	Scenario *scenarios.Scenario
	Timeline *timeline.Timeline
	Ops      []history.Op
	// Finding is the violation. Its cluster is 0 if it names none.
	Finding judge.Check
	// Removed is what was removed from the run of Origin, a shell line.
	Removed []ShrunkRow
	Origin  string
}

// Explanation makes explanation.html, one file that needs nothing else: what a
// violation is, and the run in which it appeared, in order: faults, leaders, what
// Drummer did, operations, what was expected and what was seen.
func Explanation(ctx context.Context, x Explained) ([]byte, error) {
	p := struct {
		Explained
		Style   template.CSS
		Colours template.CSS
		Setting []string
		Events  []event
		Others  int
		Seen    sight
		Figure  template.HTML
	}{Explained: x, Style: draw.Style(), Colours: colours(), Setting: setting(x), Seen: seen(ctx, x.Finding, x.Ops)}
	p.Events, p.Others = events(x)
	finding := x.Finding
	finding.Detail = "" // the page begins with it
	drawn, err := violations([]judge.Check{finding}, x.Timeline.Began(), x.Ops)
	if err != nil {
		return nil, fmt.Errorf("make explanation.html: %w", err)
	}
	for _, v := range drawn {
		p.Figure = v.Figure
	}
	var b bytes.Buffer
	if err := explanationTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("make explanation.html: %w", err)
	}
	return b.Bytes(), nil
}

// setting says in sentences what ran.
func setting(x Explained) []string {
	s := x.Scenario
	what := fmt.Sprintf("%s on %s, with %s.",
		plural(s.Clusters.Count, "Raft cluster", "Raft clusters"), plural(s.Deployment.NodeHosts, "NodeHost", "NodeHosts"),
		plural(s.Deployment.Drummers, "Drummer server", "Drummer servers"))
	if id := x.Finding.Cluster; id != 0 {
		what += fmt.Sprintf(" Cluster %d has %s with the %s state machine.", id,
			plural(s.Clusters.Size, "member", "members"), stateMachines[s.Clusters.Kind(id)])
	}
	ops := x.Result.Ops
	done := fmt.Sprintf("%s and the checks at the end asked for %s, of which %s succeeded.", plural(s.Workload.Clients, "client", "clients"),
		plural(ops.OK+ops.Fail+ops.Unknown, "operation", "operations"), Count(int64(ops.OK)))
	all := []string{what, done}
	if b := s.Clusters.Bug; b != nil {
		where := "one of the first members of each cluster"
		if b.Nodes == "all" {
			where = "every member"
		}
		kind, _ := scenarios.BugKindOf(b.Kind)
		planted := fmt.Sprintf("A bug was planted in %s, %s: %s", where, b.Kind, kind.Doc)
		if x.Result.Bug != nil && x.Result.Bug.Counted {
			planted += fmt.Sprintf(" %s.", upper(x.Result.Bug.String()))
		}
		all = append(all, planted)
	}
	return all
}

// stateMachines are the kinds of state machine in words.
var stateMachines = map[string]string{"regular": "regular", "concurrent": "concurrent", "ondisk": "on-disk"}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return Count(int64(n)) + " " + many
}

// upper begins a sentence.
func upper(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
