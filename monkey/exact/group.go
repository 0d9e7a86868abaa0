// SPDX-License-Identifier: Apache-2.0

package exact

import "errors"

// Group is goroutines of the exact bubble that can be held together, such as those
// of the process of a simulated host. The zero value is no group.
type Group uint64

// GroupOf returns the group with a name.
func GroupOf(name string) Group { return Group(hash([]byte(name))) }

// Join has the calling goroutine, and those that it starts from then on, be of the
// group, instead of the one that it was of. What time.AfterFunc calls is of none.
func (g Group) Join() {
	if InBubble() {
		hooks.join(uint64(g))
	}
}

// Hold holds the group, as SIGSTOP holds a process: a goroutine of it that is woken,
// by a channel, a condition or the clock, goes on waiting until Release. Those that
// run or wait for a lock go on until they wait for something else. It is an error
// outside of an exact bubble whose Settings have Hold, and if the group is held.
func (g Group) Hold() error {
	if err := Built(); err != nil {
		return err
	}
	if !InBubble() || !hooks.hold(uint64(g)) {
		return errors.New("these goroutines can't be held: only those of an exact run that expects it, once at a time, and no more than 256 groups at once")
	}
	return nil
}

// Woken counts the goroutines of the group that would go on if it were not held; 0 if
// it is not.
func (g Group) Woken() int {
	if !InBubble() {
		return 0
	}
	return hooks.woken(uint64(g))
}

// Release lets the group go on, if it is held.
func (g Group) Release() {
	if InBubble() {
		hooks.release(uint64(g))
	}
}
