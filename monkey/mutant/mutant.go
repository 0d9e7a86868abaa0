// SPDX-License-Identifier: Apache-2.0

package mutant

import (
	"slices"
	"strings"

	"github.com/drumbeat-raft/drumbeat/monkey/internal/source"
)

// Place is the part of the system that a mutant is planted in.
type Place string

// The places.
const (
	InDragonboat Place = "Dragonboat"
	InWorld      Place = "storage and transport"
	InClients    Place = "state machines and clients"
	InDrummer    Place = "Drummer"
)

// Mutant is a planted bug.
type Mutant struct {
	Name  string // lower case, with dashes
	Place Place
	// Breaks is the promise that it breaks.
	Breaks string
	// Bites says under which circumstances it can do harm.
	Bites string
	edits []source.Edit
}

// All are the mutants, by place.
func All() []Mutant { return slices.Concat(inDragonboat, inWorld, inClients, inDrummer) }

// Find returns a mutant by its name.
func Find(name string) (Mutant, bool) {
	all := All()
	if i := slices.IndexFunc(all, func(m Mutant) bool { return m.Name == name }); i >= 0 {
		return all[i], true
	}
	return Mutant{}, false
}

// planted makes a mutant of one edit of a file of the place's module.
func planted(place Place, name, breaks, bites, file, old, edited string) Mutant {
	return Mutant{name, place, breaks, bites, []source.Edit{{File: file, Old: old, New: edited}}}
}

// condition is what MUTANT stands for in an edit.
const condition = "MUTANT"

// switched are a mutant's edits, with its switch in place of MUTANT.
func (m Mutant) switched() []source.Edit {
	edits := slices.Clone(m.edits)
	for i := range edits {
		edits[i].New = strings.ReplaceAll(edits[i].New, condition, `mutants.On("`+m.Name+`")`)
	}
	return edits
}
