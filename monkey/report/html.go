// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"strings"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear/draw"
	"github.com/drumbeat-raft/drumbeat/monkey/fault"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/timeline"
	"github.com/drumbeat-raft/drumbeat/scenarios"
)

//go:embed report.html.tmpl
var pageText string

// figures are what every page writes numbers with.
var figures = template.FuncMap{
	"count": func(n int) string { return Count(int64(n)) },
	"clock": func(d time.Duration) string { return clock(d) },
}

var pageTemplate = template.Must(template.New("report").Funcs(figures).Funcs(template.FuncMap{
	"effects":  effects,
	"mark":     mark,
	"markOf":   markOf,
	"kind":     kindOf,
	"late":     late,
	"missed":   missed,
	"excused":  excused,
	"operator": operator,
	"overlap":  overlap,
	"plain":    draw.Plain,
	"repairs":  repairs,
	"timing":   timing,
	"activity": activityText,
}).Parse(pageText))

// page is what the template shows.
type page struct {
	*judge.Result
	Style      template.CSS
	Colours    template.CSS // of the kinds of fault
	Violations []violation
	Checks     []judge.Check // the gravest first
	Plot       plot
	Events     []timeline.Entry // without leaders, which are many
	LeftOut    int              // events beyond maxEvents
}

// maxEvents bounds the events in a page.
const maxEvents = 5000

// HTML makes report.html, one file that needs nothing else: the verdict, what
// was done, how it was repaired, what was verified, a timeline, and a drawing
// of what can't be explained.
func HTML(r *judge.Result, happened *timeline.Timeline, ops []history.Op) ([]byte, error) {
	faults := happened.Began()
	p := page{Result: r, Style: draw.Style(), Colours: colours(), Checks: worstFirst(r.Checks), Plot: drawPlot(r, endOf(r, happened), faults, ops)}
	var err error
	if p.Violations, err = violations(p.Checks, faults, ops); err != nil {
		return nil, fmt.Errorf("make report.html: %w", err)
	}
	for _, e := range happened.Entries {
		if _, leader := e.Fact.(timeline.LeaderAnnounced); leader {
			continue
		}
		if len(p.Events) < maxEvents {
			p.Events = append(p.Events, e)
		} else {
			p.LeftOut++
		}
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("make report.html: %w", err)
	}
	return b.Bytes(), nil
}

// colours makes the style rules that give each kind of fault its colour.
func colours() template.CSS {
	var rules strings.Builder
	for _, k := range scenarios.FaultKinds() {
		fmt.Fprintf(&rules, ".%s.%s { --band: %s; }\n", k.Name, k.Name, fault.Colour(k.Name))
	}
	return template.CSS(rules.String())
}

// clock writes a time since the run's start as minutes and seconds.
func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%06.3f", int(d.Minutes()), (d % time.Minute).Seconds())
}
