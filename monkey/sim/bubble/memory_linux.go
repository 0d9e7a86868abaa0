// SPDX-License-Identifier: Apache-2.0

package bubble

import (
	"runtime"
	"syscall"
)

// hugeHeap is how much address space of the heap is to be backed by huge pages.
// What a simulation keeps and what it makes between two collections fits in.
const hugeHeap = 512 << 20

// useHugePages has the kernel back the heap by huge pages, of which a few hundred
// do where a simulation would otherwise touch a hundred thousand small ones, and
// touch them again each time the runtime had returned them. It takes no memory:
// the address space is reserved, advised and handed to the allocator, which
// fills it from its beginning.
func useHugePages() {
	adviseHugePages()
	runtime.GC() // hands it to the allocator before it counts as memory in use
}

// adviseHugePages is a function of its own so that its stack is gone, and with it
// the last pointer to the memory, when useHugePages collects.
//
//go:noinline
func adviseHugePages() {
	reserved := make([]byte, hugeHeap)
	// A kernel without huge pages is slower, and no worse.
	_ = syscall.Madvise(reserved, syscall.MADV_HUGEPAGE)
}
