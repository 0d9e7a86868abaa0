// SPDX-License-Identifier: Apache-2.0

package mutant

import (
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
	edit  source.Edit
}

// tables are the mutants of each place.
var tables = []struct {
	place   Place
	mutants []Mutant
}{{InDragonboat, inDragonboat}, {InWorld, inWorld}, {InClients, inClients}, {InDrummer, inDrummer},
	{InDrummer, inDrummerDB}, {InDrummer, inSchedule}, {InDrummer, inServer}, {InDrummer, inAgent}, {InDrummer, inClient},
}

// All are the mutants, by place.
func All() []Mutant {
	var all []Mutant
	for _, t := range tables {
		for _, m := range t.mutants {
			m.Place = t.place
			all = append(all, m)
		}
	}
	return all
}

// planted is a mutant that is made by an edit of a file of its place's module.
func planted(name, breaks, bites, file, old, edited string) Mutant {
	return Mutant{Name: name, Breaks: breaks, Bites: bites, edit: source.Edit{File: file, Old: old, New: edited}}
}

// condition is what MUTANT stands for in an edit.
const condition = "MUTANT"

// switched is the mutant's edit, with its switch in place of MUTANT.
func (m Mutant) switched() source.Edit {
	e := m.edit
	e.New = strings.ReplaceAll(e.New, condition, `mutants.On("`+m.Name+`")`)
	return e
}
