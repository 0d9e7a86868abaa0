// SPDX-License-Identifier: Apache-2.0

package program

import (
	"errors"
	"fmt"
	"slices"
)

// The exit codes of all Drumbeat programs. Run and check commands have a verdict;
// for those of an operator's tool the same numbers mean that Drummer did it, that
// it refused, and that a wait ended without what it waited for.
const (
	ExitPass         = 0
	ExitViolation    = 1
	ExitInconclusive = 2
	ExitUsage        = 64 // bad usage or invalid input
	ExitUnavailable  = 69 // no server answered
	ExitInternal     = 70 // anything else that went wrong

	ExitRefused = ExitViolation
	ExitInVain  = ExitInconclusive
)

// gravity orders exit codes by how much they have to be looked at. A verdict by a
// program that failed, or on other input than was meant, says nothing, so what
// went wrong comes after any verdict.
var gravity = []int{ExitPass, ExitInconclusive, ExitViolation, ExitUsage, ExitUnavailable, ExitInternal}

// Worse returns the graver of two exit codes. One that is not listed is as grave as
// can be.
func Worse(a, b int) int {
	if rank(b) > rank(a) {
		return b
	}
	return a
}

func rank(code int) int {
	if i := slices.Index(gravity, code); i >= 0 {
		return i
	}
	return len(gravity)
}

// coded is an error with an exit code of its own.
type coded struct {
	error
	code int
}

func (c coded) Unwrap() error { return c.error }

// WithCode gives an error an exit code; nil stays nil.
func WithCode(code int, err error) error {
	if err == nil {
		return nil
	}
	return coded{err, code}
}

// Usage marks an error as a mistake in what the user wrote; nil stays nil.
func Usage(err error) error { return WithCode(ExitUsage, err) }

// Usagef makes an error of a mistake in what the user wrote.
func Usagef(format string, args ...any) error { return Usage(fmt.Errorf(format, args...)) }

// ExitCode is the exit code for what a program ended with: that of WithCode, if
// there is one, else ExitInternal.
func ExitCode(err error) int {
	if err == nil {
		return ExitPass
	}
	if code, ok := CodeOf(err); ok {
		return code
	}
	return ExitInternal
}

// CodeOf returns the exit code that an error was given, if it was.
func CodeOf(err error) (code int, ok bool) {
	var c coded
	if errors.As(err, &c) {
		return c.code, true
	}
	return 0, false
}
