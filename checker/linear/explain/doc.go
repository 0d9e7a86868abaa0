// SPDX-License-Identifier: Apache-2.0

// Package explain makes violations understandable: it shrinks illegal
// operations to a small core, says in a sentence what is wrong with it, and
// describes operations and times for people.
//
// It decides nothing: whether operations are illegal is asked of the caller.
package explain
