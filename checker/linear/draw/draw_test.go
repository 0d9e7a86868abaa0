// SPDX-License-Identifier: Apache-2.0

package draw

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"math/big"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/selftest/generate"
)

const second = int64(1e9)

func op(client int64, kind history.Kind, value string, from, to int64) history.Op {
	o := history.Op{Client: client, Key: "k", Kind: kind, Call: from, Return: to, Outcome: history.OK, Host: "nodehost-1"}
	if kind == history.Get {
		o.Observed = history.String(value)
	} else {
		o.Value = history.String(value)
	}
	return o
}

// stale is a read that comes 0.3 s into a partition and sees what was replaced.
func stale() Page {
	ops := []history.Op{
		op(1, history.Put, "old", 10*second, 11*second),
		op(2, history.Put, "new", 12*second, 13*second),
		op(3, history.Get, "old", 20*second+second*3/10, 21*second),
		{Client: 4, Key: "k", Kind: history.Put, Value: history.String("lost"), Call: 22 * second, Outcome: history.Unknown},
		{Client: 5, Key: "k", Kind: history.Delete, Call: 23 * second, Return: 23 * second, Outcome: history.Fail},
	}
	return Page{Title: "a stale read", Explanation: "it was replaced", Ops: ops, Core: ops[:3], Bands: []Band{
		{From: 1 * second, To: 5 * second, Name: "kill of nodehost-1", Kind: "kill"},
		{From: 20 * second, To: 30 * second, Name: "partition of nodehost-2", Kind: "partition"},
		{From: 40 * second, To: history.Never, Name: "kill of nodehost-3 forever", Kind: "kill forever"},
	}}
}

func figure(t *testing.T, p Page) string {
	t.Helper()
	out, err := Figure(p)
	require.NoError(t, err)
	return string(out)
}

// elements counts the groups of a class in a drawing.
func elements(figure, class string) int {
	return len(regexp.MustCompile(`<g class="[^"]*\b`+class+`\b`).FindAllString(figure, -1))
}

func TestAViolationIsToldWithTheFaultsAroundIt(t *testing.T) {
	f := figure(t, stale())
	require.Equal(t, []int{5, 3, 1, 1}, []int{elements(f, "op"), elements(f, "core"), elements(f, "unknown"), elements(f, "fail")})
	require.Contains(t, f, "<p class=\"why\">it was replaced</p>")
	require.Contains(t, f, "Operation 3, the last of these, came 0.3 s into the partition of nodehost-2.")
	require.Contains(t, f, "<td class=\"faults\">5.0 s after the end of the kill of nodehost-1</tr>", "what the first one came after")
	require.Contains(t, f, `<tspan class="number">3</tspan> client 3: get &#34;old&#34;`)

	require.Equal(t, 1, elements(f, "band"), "only what the operations overlap with is drawn")
	require.Contains(t, f, `<g class="band partition"><title>partition of nodehost-2, from 20.000 s to 30.000 s (10.0 s)</title>`)
	require.Contains(t, f, ">partition of nodehost-2, 20.0 s to 30.0 s</text>")
	require.Contains(t, f, `<span class="swatch band partition"></span>partition</li>`, "the legend")
}

func TestWithoutFaultsNothingIsSaidOfThem(t *testing.T) {
	p := stale()
	p.Bands = nil
	f := figure(t, p)
	require.NotContains(t, f, "fault")
	require.Equal(t, 3, elements(f, "core"))
}

func TestAFaultThatNeverEndsIsDrawnToTheEnd(t *testing.T) {
	p := stale()
	p.Bands = []Band{{From: 12 * second, To: history.Never, Name: "kill of nodehost-3", Kind: "kill forever"}}
	f := figure(t, p)
	require.Contains(t, f, ">kill of nodehost-3, from 12.0 s on</text>")
	require.Contains(t, f, "8.3 s into the kill of nodehost-3")
	require.Contains(t, f, "kill forever</li>")
}

// Operations and faults lie on one axis: what comes first is further left, and
// a read within a partition is within its band.
func TestOperationsAndBandsShareAnAxis(t *testing.T) {
	v := newView(stale())
	read, band := v.Boxes[2], v.Bands[0]
	require.Contains(t, read.Class, "core")
	require.Greater(t, read.X, band.X)
	require.Less(t, read.X, band.X+band.W)
	require.Less(t, v.Boxes[1].X+v.Boxes[1].W, band.X, "the write before is over when the band begins")
}

func TestThePageIsWellFormedAndEscaped(t *testing.T) {
	p := stale()
	const title = "</title><script>"
	p.Title, p.Core[2].Observed = title, history.String("</text><script>")
	p.Bands[1].Name, p.Bands[1].Kind = "<script>", `"><script>`
	var b bytes.Buffer
	require.NoError(t, HTML(&b, title, title, p))
	page := b.String()
	require.NotContains(t, page, "<script")
	require.NotContains(t, page, "https://")
	require.Equal(t, 1, strings.Count(page, "http://"), "only the name of SVG itself")
	svg := page[strings.Index(page, "<svg"):strings.Index(page, "</svg>")]
	require.NoError(t, xml.Unmarshal([]byte(svg+"</svg>"), new(struct{})))
}

func TestOfManyOperationsThoseAroundTheCoreAreDrawn(t *testing.T) {
	ops := generate.History(generate.Spec{Seed: 1, Ops: 100_000, Keys: 1, Clients: 16, Put: 0.4, Cas: 0.2, Unknown: 0.02})
	old := ops[20_000]
	for i := 20_000; old.Kind != history.Put || old.Outcome != history.OK; i++ {
		old = ops[i]
	}
	ops = append(ops, history.Op{Client: 99, Key: "k0", Kind: history.Get, Observed: old.Value, Call: ops[80_000].Call, Return: ops[80_000].Call + 1, Outcome: history.OK})
	res, err := linear.Check(t.Context(), ops, linear.Options{})
	require.NoError(t, err)
	require.Equal(t, linear.Violation, res.Verdict)

	f := figure(t, Page{Ops: ops, Core: res.Core, Explanation: res.Explanation})
	require.Equal(t, len(res.Core), elements(f, "core"))
	drawn := elements(f, "op")
	require.LessOrEqual(t, drawn, maxDrawn)
	require.Greater(t, drawn, maxDrawn/2)
	require.Contains(t, f, fmt.Sprintf("%d of the 100001 operations are drawn, those called around the marked ones; %d are left out", drawn, 100_001-drawn))
	require.Regexp(t, `>\d{5} left out</text>`, f, "the gap between the write and the read")
	require.Less(t, len(f), 100_000, "bytes")
}

func TestAnEmptyPageIsDrawn(t *testing.T) {
	require.NoError(t, HTML(new(bytes.Buffer), "nothing", "", Page{}))
	require.Contains(t, figure(t, Page{Bands: stale().Bands}), "There are no operations to draw.")
}

func TestWithoutACoreTheFirstOperationsAreDrawn(t *testing.T) {
	ops := generate.History(generate.Spec{Seed: 1, Ops: 1000, Keys: 1, Clients: 4, Put: 0.4})
	f := figure(t, Page{Ops: ops})
	require.Equal(t, maxDrawn, elements(f, "op"))
	require.Contains(t, f, "64 of the 1000 operations are drawn, the first ones; 936 are left out.")
	require.NotContains(t, f, "marked")
}

func TestADocumentHoldsAFigureForEachPage(t *testing.T) {
	a, b := stale(), stale()
	a.Title, b.Title = "key a", "key b"
	var out bytes.Buffer
	require.NoError(t, HTML(&out, "all of it", "3 more keys are not drawn.", a, b))
	require.Contains(t, out.String(), "<h1>all of it</h1>\n<h2>key a</h2>")
	require.Contains(t, out.String(), "<h2>key b</h2>")
	require.Contains(t, out.String(), "<p>3 more keys are not drawn.</p>")
	require.Equal(t, 2, strings.Count(out.String(), "<svg"))
}

// Ticks lie within what is drawn, in order, also where a step would leave 64
// bits.
func TestTicksAtTheEndsOfTime(t *testing.T) {
	const least, most = math.MinInt64 + 1, math.MaxInt64 - 1
	for _, span := range [][2]int64{{least, most}, {0, most}, {most - 5, most}, {least, 0}, {least, least + 5}, {most - 1e18, most}, {math.MinInt64 + 3e17, most - 7e16}} {
		v := newView(Page{Ops: []history.Op{op(1, history.Put, "a", span[0], span[0]), op(1, history.Put, "b", span[1], span[1])}})
		require.NotEmpty(t, v.Axis.Ticks, "%v", span)
		last := new(big.Rat).SetInt64(span[0])
		last.Sub(last, big.NewRat(1, 1))
		for _, k := range v.Axis.Ticks {
			s, ok := new(big.Rat).SetString(strings.TrimSuffix(k.Name, " s"))
			require.True(t, ok, k.Name)
			s.Mul(s, big.NewRat(1e9, 1))
			require.Positive(t, s.Cmp(last), "%v: %v", span, v.Axis.Ticks)
			last = s
		}
		require.LessOrEqual(t, last.Cmp(new(big.Rat).SetInt64(span[1])), 0, "%v: %v", span, v.Axis.Ticks)
	}
}

// anyPage draws histories of one key with a core and faults, also at the ends
// of time.
func anyPage(t *rapid.T) Page {
	moment := rapid.OneOf(rapid.Int64Range(0, 50), rapid.Int64Range(0, 600*second), rapid.Int64Range(math.MinInt64+1, math.MaxInt64-1))
	var p Page
	for range rapid.IntRange(1, 150).Draw(t, "operations") {
		from, to := moment.Draw(t, "call"), moment.Draw(t, "return")
		o := op(rapid.Int64Range(1, 5).Draw(t, "client"), history.Put, rapid.String().Draw(t, "value"), min(from, to), max(from, to))
		o.Outcome = rapid.SampledFrom([]history.Outcome{history.OK, history.Fail, history.Unknown}).Draw(t, "outcome")
		p.Ops = append(p.Ops, o)
	}
	p.Core = p.Ops[:rapid.IntRange(0, min(4, len(p.Ops))).Draw(t, "core")]
	for range rapid.IntRange(0, 30).Draw(t, "faults") {
		from, to := moment.Draw(t, "from"), moment.Draw(t, "to")
		p.Bands = append(p.Bands, Band{From: min(from, to), To: max(from, to), Name: "kill of nodehost-1", Kind: "kill"})
	}
	return p
}

func TestNothingOverlapsAndTimeGoesRight(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := anyPage(t)
		v := newView(p)
		for i := 1; i < len(v.Axis.stops); i++ {
			a, b := v.Axis.stops[i-1], v.Axis.stops[i]
			if !(a.t < b.t && a.x < b.x) && !(a.t == b.t && a.x <= b.x) { // two runs may touch in time
				t.Fatalf("stop %d: %v, then %v", i, a, b)
			}
		}
		marked := 0
		for _, b := range v.Boxes {
			if strings.HasSuffix(b.Class, " core") {
				marked++
			}
		}
		if marked < len(p.Core) { // operations that are equal are all marked
			t.Fatalf("%d of %d operations of the core are marked", marked, len(p.Core))
		}
		type area struct {
			y, from, to float64
			name        string
		}
		var areas []area
		for _, b := range v.Boxes {
			wide := textWide(b.Label) + textWide(b.Number)
			areas = append(areas, area{b.Y, min(b.X, b.LabelX), max(b.X+b.W, b.LabelX+wide), b.Label})
		}
		for _, b := range v.Bands {
			areas = append(areas, area{b.Y, min(b.X, b.LabelX), max(b.X+b.W, b.LabelX+textWide(b.Label)), b.Label})
		}
		for i, a := range areas {
			if math.IsNaN(a.from) || a.from < 0 || a.y < 0 || a.y > v.Height {
				t.Fatalf("%v is outside of the drawing", a)
			}
			for _, b := range areas[:i] {
				if a.y == b.y && a.from < b.to && b.from < a.to {
					t.Fatalf("%v overlaps with %v", a, b)
				}
			}
		}
		for i := 1; i < len(v.Axis.Ticks); i++ {
			a, b := v.Axis.Ticks[i-1], v.Axis.Ticks[i]
			if a.X+textWide(a.Name)/2 > b.X-textWide(b.Name)/2 {
				t.Fatalf("ticks %v and %v overlap", a, b)
			}
		}
	})
}
