// SPDX-License-Identifier: Apache-2.0

package runtime

// The trace is a sequence of records: a kind and a number as one varint, and
// what the kind has besides. Package monkey/exact reads it.
const (
	exactTraceRun     = 0 // goroutine
	exactTraceCreated = 1 // goroutine, then its creator, and the names of its first function and of the one that started it
	exactTraceInstant = 2 // nanoseconds since the beginning
	exactTraceNote    = 3 // part of what the program noted
	exactTraceDrawn   = 4 // random numbers were drawn; part of where their streams are
	exactTraceEvents  = 5 // locks, channel operations and reads of the clock since the last decision, while exploring
	exactTraceKinds   = 8

	// exactDrawnShift leaves two bytes of where the streams are: enough to see
	// that they parted, and where.
	exactDrawnShift = 64 - 11

	exactMaxName = 1024
	// exactTraceSpare is more than a record takes.
	exactTraceSpare = 2*exactMaxName + 64
)

// exactRecord begins a record and reports whether there is room for it.
func exactRecord(kind, v uint64) bool {
	s := exact.state
	if exact.trace == nil || s.traceFull != 0 {
		return false
	}
	if s.traceLen+exactTraceSpare > exact.settings.traceRoom {
		s.traceFull = 1
		return false
	}
	exactUvarint(v*exactTraceKinds + kind)
	return true
}

func exactUvarint(v uint64) {
	for v >= 0x80 {
		exactByte(byte(v) | 0x80)
		v >>= 7
	}
	exactByte(byte(v))
}

func exactString(s string) {
	exactUvarint(uint64(len(s)))
	for i := range len(s) {
		exactByte(s[i])
	}
}

func exactByte(b byte) {
	*(*byte)(add(exact.trace, uintptr(exact.state.traceLen))) = b
	exact.state.traceLen++
}
