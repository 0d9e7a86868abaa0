// SPDX-License-Identifier: Apache-2.0

package draw

import (
	"bytes"
	"encoding/xml"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/drumbeat-raft/drumbeat/checker/history"
	"github.com/drumbeat-raft/drumbeat/checker/linear"
	"github.com/drumbeat-raft/drumbeat/checker/linear/generate"
)

func TestAViolationIsDrawnWithItsCoreAndItsFaults(t *testing.T) {
	ops := generate.History(generate.Spec{Seed: 1, Ops: 2000, Keys: 1, Clients: 8, Put: 0.4, Cas: 0.2, Unknown: 0.02})
	bad := history.Op{Client: 99, Key: "k0", Kind: history.Get, Observed: history.String("</title><script>"), Call: 500, Return: 510, Outcome: history.OK}
	ops = append(ops, bad)
	res, err := linear.Check(t.Context(), ops, linear.Options{})
	require.NoError(t, err)
	require.Equal(t, linear.Violation, res.Verdict)
	var b bytes.Buffer
	require.NoError(t, HTML(&b, Page{Title: "k0", Ops: ops, Core: res.Core, Explanation: res.Explanation, Bands: []Band{{From: 490, To: 600, Name: "partition"}}}))
	page := b.String()
	require.Equal(t, len(res.Core), strings.Count(page, ` core"`))
	require.Contains(t, page, `class="band"`)
	require.NotContains(t, page, "<script>")
	require.LessOrEqual(t, strings.Count(page, `<g class="op`), maxDrawn+len(res.Core))
	svg := page[strings.Index(page, "<svg"):strings.LastIndex(page, "</body>")]
	require.NoError(t, xml.Unmarshal([]byte(svg), new(struct{})))
}

func TestAnEmptyPageIsDrawn(t *testing.T) {
	require.NoError(t, HTML(new(bytes.Buffer), Page{Title: "nothing"}))
}
