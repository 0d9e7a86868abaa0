// SPDX-License-Identifier: Apache-2.0

package history

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// maxMistakes is how many mistakes of an input are kept.
const maxMistakes = 20

// InputErrors are several mistakes of one input, by line. Unwrap gives each as
// an *InputError.
type InputErrors struct {
	File string
	// First are the first mistakes, More counts those that follow.
	First []*InputError
	More  int
}

// Error returns a line for each mistake, FILE:LINE: what is wrong, and how many
// more there are.
func (e *InputErrors) Error() string {
	var b strings.Builder
	for i, one := range e.First {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(one.Error())
	}
	if e.More > 0 {
		fmt.Fprintf(&b, "\n%s: and %d more", e.File, e.More)
	}
	return b.String()
}

// Unwrap returns the first mistakes.
func (e *InputErrors) Unwrap() []error {
	all := make([]error, len(e.First))
	for i, one := range e.First {
		all[i] = one
	}
	return all
}

// mistakes collects what is wrong with an input.
type mistakes struct {
	first []*InputError
	more  int
}

// add takes in a mistake, and returns an error that is none, such as one of a
// file that can't be opened.
func (m *mistakes) add(err error) error {
	var in *InputError
	if !errors.As(err, &in) {
		return err
	}
	if len(m.first) < maxMistakes {
		m.first = append(m.first, in)
	} else {
		m.more++
	}
	return nil
}

// join takes in the mistakes of a part that follows after some lines.
func (m *mistakes) join(part *mistakes, linesBefore int) {
	m.more += part.more
	for _, in := range part.first {
		if in.Line > 0 {
			in.Line += linesBefore
		}
		_ = m.add(in) // is an *InputError
	}
}

// err returns the mistakes as an error, nil if there are none.
func (m *mistakes) err() error {
	switch {
	case len(m.first) == 0:
		return nil
	case len(m.first) == 1 && m.more == 0:
		return m.first[0]
	}
	slices.SortStableFunc(m.first, func(a, b *InputError) int { return cmp.Compare(a.Line, b.Line) })
	return &InputErrors{File: m.first[0].File, First: m.first, More: m.more}
}
