// SPDX-License-Identifier: Apache-2.0

package draw

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"

	"github.com/drumbeat-raft/drumbeat/checker/history"
)

// Band is a fault: a span of time on the clock of the history.
type Band struct {
	// From and To are its first and last moment; To is history.Never for a
	// fault that did not end.
	From, To int64
	Name     string // "partition of nodehost-2"
	// Kind is what the legend calls it, with hyphens for spaces, and the CSS
	// classes of what is drawn: the page around may set their colour, --band.
	Kind string
}

// Page is what to draw.
type Page struct {
	Title string
	// Explanation is a sentence: why the core can't be ordered.
	Explanation string
	// Ops are the operations of one key, in any order. Of many, those around
	// the core are drawn, and the page says how many are not.
	Ops []history.Op
	// Core holds the operations to mark.
	Core  []history.Op
	Bands []Band
}

// Plain is a kind as legends say it.
func Plain(kind string) string { return strings.ReplaceAll(kind, "-", " ") }

//go:embed draw.css
var style string

//go:embed draw.html.tmpl
var text string

var templates = template.Must(template.New("draw").Funcs(template.FuncMap{
	"px":    func(x float64) string { return fmt.Sprint(math.Round(x*10) / 10) },
	"plain": Plain,
}).Parse(text))

// Style is the CSS that figures need, once a page. All of it is about what is
// inside of a figure.
func Style() template.CSS { return template.CSS(style) }

// Figure returns the drawing with its explanation as a part of a page, which
// supplies Style and a heading. It needs no script.
func Figure(p Page) (template.HTML, error) {
	var b bytes.Buffer
	if err := templates.ExecuteTemplate(&b, "figure", newView(p)); err != nil {
		return "", fmt.Errorf("draw the operations: %w", err)
	}
	return template.HTML(b.String()), nil
}

// HTML writes a document with nothing but the figures of pages, each below the
// title of its page, if it has one. More is said at the end.
func HTML(w io.Writer, title, more string, pages ...Page) error {
	type part struct {
		Title  string
		Figure template.HTML
	}
	parts := make([]part, 0, len(pages))
	for _, p := range pages {
		figure, err := Figure(p)
		if err != nil {
			return err
		}
		parts = append(parts, part{p.Title, figure})
	}
	return templates.ExecuteTemplate(w, "page", map[string]any{"Title": title, "Style": Style(), "Parts": parts, "More": more})
}
