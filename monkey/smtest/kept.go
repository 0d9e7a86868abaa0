// SPDX-License-Identifier: Apache-2.0

package smtest

var kept = check{
	name:  "kept",
	kinds: allKinds,
	contract: "What Update and Lookup have returned doesn't change any more. Dragonboat keeps the Result of an entry for as long as the client's session " +
		"lasts, and hands the answer to a query to the client after the locks are released, while later entries are applied.",
	advice: "Return a copy: no buffer that is used again, and no map, slice or pointer that is part of the state.",
	run: func(t *trial) {
		r := t.start("a replica whose answers are kept")
		type keptAnswer struct {
			at    int
			query any
			value any
			text  string
		}
		var results []result
		var answers []keptAnswer
		for i := range t.log {
			t.step("entry %d; then the queries", i+1)
			results = append(results, r.apply(i+1)...)
			for _, query := range t.queries {
				value, text := r.lookup(query)
				answers = append(answers, keptAnswer{i + 1, query, value, text})
			}
			for j, result := range results {
				if now := resultText(result.kept); now != result.text {
					t.fail("The Result of entry %d changed after Update had returned it, when entry %d was applied.\nit was %s\nit is  %s", j+1, i+1, excerpt(result.text), excerpt(now))
				}
			}
			for _, a := range answers {
				if a.value == nil {
					continue
				}
				if now := render(a.value); now != a.text {
					x, y := excerpts(a.text, now)
					t.fail("What Lookup answered %s to the query %s changed when entry %d was applied.\nit was %s\nit is  %s", place(a.at), render(a.query), i+1, x, y)
				}
			}
		}
	},
}
