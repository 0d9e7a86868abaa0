// SPDX-License-Identifier: Apache-2.0

package runtime

import (
	"internal/abi"
	"internal/runtime/sys"
	"unsafe"
)

// exactSpecial is the kind of the records that give objects a number: none of
// the runtime's own.
const exactSpecial = 0x7f

// exactNumbered is such a record.
type exactNumbered struct {
	_       sys.NotInHeap
	special special
	number  uint64
}

// exactNumber returns, in an exact process, the number of the object that a
// pointer of type t at p points to: by this it is hashed, instead of by its
// address, when it is the key of a map. Objects are numbered when they are first
// hashed, and keep their number for life; those that are first hashed outside of
// the bubble keep their address. Pointers that are not to the heap are left to
// the caller.
func exactNumber(t *_type, p unsafe.Pointer) (uint64, bool) {
	if !exact.process {
		return 0, false
	}
	switch t.Kind() {
	case abi.Pointer, abi.Chan, abi.UnsafePointer:
	default:
		return 0, false
	}
	object := *(*uintptr)(p)
	span := spanOfHeap(object)
	if span == nil {
		return 0, false
	}
	mp := acquirem()
	span.ensureSwept()
	offset := object - span.base()
	lock(&span.speciallock)
	at, exists := span.specialFindSplicePoint(offset, exactSpecial)
	if !exists {
		exactAddNumber(span, at, offset, mp)
	}
	number := (*exactNumbered)(unsafe.Pointer(*at)).number
	unlock(&span.speciallock)
	releasem(mp)
	return number, true
}

// exactAddNumber numbers an object. The span's specials are locked.
func exactAddNumber(span *mspan, at **special, offset uintptr, mp *m) {
	lock(&mheap_.speciallock)
	if exact.numbers.size == 0 {
		exact.numbers.init(unsafe.Sizeof(exactNumbered{}), nil, nil, &memstats.other_sys)
	}
	s := (*exactNumbered)(exact.numbers.alloc())
	unlock(&mheap_.speciallock)
	if mp.curg != nil && exactMember(mp.curg) && !mp.curg.exact.apart {
		exact.numbered++
		s.number = exact.numbered
	} else {
		s.number = uint64(span.base() + offset)
	}
	s.special.kind = exactSpecial
	s.special.offset = offset
	s.special.next = *at
	*at = &s.special
	spanHasSpecials(span)
}

// exactForget frees the record of an object that is no more.
func exactForget(s *special) {
	lock(&mheap_.speciallock)
	exact.numbers.free(unsafe.Pointer(s))
	unlock(&mheap_.speciallock)
}
