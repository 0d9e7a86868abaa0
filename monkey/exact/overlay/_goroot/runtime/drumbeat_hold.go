// SPDX-License-Identifier: Apache-2.0

package runtime

// Goroutines of the bubble may be of a group, which those that they start are of,
// too: the process of a simulated host. A group can be held, as SIGSTOP holds a
// process: whoever of it is woken, by a channel, a condition or the clock, goes on
// waiting until the group is released.
//
// A goroutine that is held stays in the state of one that waits, so that the
// bubble is idle without it, and its clock moves. Who runs at that instant, and
// who waits for a lock, goes on until he waits for something else: he may be at
// work for somebody of another group, and no clock would ever free what he holds.

// exactMaxHeld is how many groups can be held at once.
const exactMaxHeld = 256

// exactHeldGroup is a group that is held.
type exactHeldGroup struct {
	name  uint64
	queue gQueue // who was woken meanwhile, in that order
}

// exactHeldGroups are those that are held, the first exactHeldCount of them.
var (
	exactHeldGroups [exactMaxHeld]exactHeldGroup
	exactHeldCount  int
)

// exactJoin has the goroutine that calls it, and those that it starts from now on,
// be of a group; 0: of none.
func exactJoin(group uint64) { getg().exact.group = group }

// exactHeld finds a group that is held, nil if it is not.
//
//go:nosplit
func exactHeld(group uint64) *exactHeldGroup {
	for i := range exactHeldCount {
		if exactHeldGroups[i].name == group {
			return &exactHeldGroups[i]
		}
	}
	return nil
}

// exactHold holds a group, and reports whether it could.
func exactHold(group uint64) bool {
	if exact.settings.hold == 0 || group == 0 || exactHeldCount == exactMaxHeld || exactHeld(group) != nil {
		return false
	}
	exactHeldGroups[exactHeldCount] = exactHeldGroup{name: group}
	exactHeldCount++
	return true
}

// exactKeep keeps a goroutine that is about to be woken if its group is held, and
// reports whether it did.
//
//go:nowritebarrierrec
func exactKeep(gp *g) bool {
	if exactHeldCount == 0 || gp.exact.group == 0 || !exactMember(gp) || !isIdleInSynctest[gp.waitreason] {
		return false
	}
	held := exactHeld(gp.exact.group)
	if held == nil {
		return false
	}
	held.queue.pushBack(gp)
	return true
}

// exactWoken counts the goroutines of a group that were woken while it is held.
func exactWoken(group uint64) int {
	if held := exactHeld(group); held != nil {
		return int(held.queue.size)
	}
	return 0
}

// exactRelease lets a group go on.
func exactRelease(group uint64) {
	held := exactHeld(group)
	if held == nil {
		return
	}
	queue := held.queue
	exactHeldCount--
	*held = exactHeldGroups[exactHeldCount]
	exactHeldGroups[exactHeldCount] = exactHeldGroup{}
	for !queue.empty() {
		goready(queue.pop(), 0)
	}
}
