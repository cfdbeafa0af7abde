package wsframework

import (
	"math/bits"
	"testing"
	"unsafe"
)

// An idle connection's memory is mostly this struct and net/http's. With one byte more than this, and the
// header that the allocator adds, it takes 1152 bytes.
func TestSizeOfAConnection(t *testing.T) {
	if size := unsafe.Sizeof(conn{}); bits.UintSize == 64 && size > 1016 {
		t.Errorf("a conn has %d bytes", size)
	}
}
