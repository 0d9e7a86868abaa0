// SPDX-License-Identifier: Apache-2.0

package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"time"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/monkey/judge"
	"github.com/drumbeat-raft/drumbeat/monkey/rundir"
)

//go:embed report.html.tmpl
var pageText string

var pageTemplate = template.Must(template.New("report").Funcs(template.FuncMap{
	"count":   func(n int) string { return Count(int64(n)) },
	"effects": Effects,
	"clock":   func(d time.Duration) string { return clock(d) },
	"mark":    mark,
	"kind":    KindOf,
	"repairs": Repairs,
	"seconds": func(ns int64) string { return fmt.Sprintf("%.6f", time.Duration(ns).Seconds()) },
	"stated": func(v history.Value) string {
		if !v.Stated() {
			return ""
		}
		return v.String()
	},
}).Parse(pageText))

// page is what the template shows.
type page struct {
	*judge.Result
	Checks   []judge.Check // the gravest first
	Timeline timeline
	Events   []rundir.Event // without leaders, which are many
}

// HTML makes report.html, one file that needs nothing else: the verdict, what
// was done, how it was repaired, what was verified, and a timeline.
func HTML(r *judge.Result, events []rundir.Event, ops []history.Op) ([]byte, error) {
	p := page{Result: r, Checks: worstFirst(r.Checks), Timeline: drawTimeline(r, events, ops)}
	for _, ev := range events {
		if ev.Kind != rundir.Leader {
			p.Events = append(p.Events, ev)
		}
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return nil, fmt.Errorf("make report.html: %w", err)
	}
	return b.Bytes(), nil
}

// clock writes a time since the run's start as minutes and seconds.
func clock(d time.Duration) string {
	return fmt.Sprintf("%d:%06.3f", int(d.Minutes()), (d % time.Minute).Seconds())
}
