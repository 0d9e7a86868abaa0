// SPDX-License-Identifier: Apache-2.0

package smtest

var readOnly = check{
	name:  "read-only",
	kinds: allKinds,
	contract: "Lookup, GetHash, PrepareSnapshot and SaveSnapshot don't change the state. Each replica does them at times of its own, and as often as it is asked, " +
		"so what they change differs between replicas from then on.",
	advice: "Take what is changed there out of the state: counters of reads, caches that answers depend on, lists that are emptied once they are saved.",
	run: func(t *trial) {
		quiet := t.start("a replica that is not read")
		var want []result
		for i := range t.log {
			want = append(want, quiet.apply(i+1)...)
		}
		end := quiet.state()
		for _, reading := range readings(t) {
			r := t.start("a replica with " + reading.name + " after each entry")
			for i := range t.log {
				reading.read(r)
				if got := r.apply(i + 1)[0].text; got != want[i].text {
					a, b := excerpts(want[i].text, got)
					t.fail("%s changes what entry %d is answered.\n%s: %s\n%s: %s", reading.name, i+1, quiet.name, a, r.name, b)
				}
			}
			reading.read(r)
			if d := end.difference(quiet.name, r.state(), r.name); d != "" {
				t.fail("%s changes the state.\n%s", reading.name, d)
			}
		}
	},
}

// reading is a way to read a replica.
type reading struct {
	name string
	read func(*replica)
}

func readings(t *trial) []reading {
	all := []reading{{"SaveSnapshot", func(r *replica) { r.save() }}}
	if len(t.queries) > 0 {
		all = append(all, reading{"Lookup", func(r *replica) {
			for _, query := range t.queries {
				r.lookup(query)
			}
		}})
	}
	if t.kit.hasHash {
		all = append(all, reading{"GetHash", func(r *replica) { r.hash() }})
	}
	return all
}
