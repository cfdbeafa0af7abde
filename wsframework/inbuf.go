package wsframework

import "sync"

// pageSize is the size of a read buffer: enough for a burst of small messages in one system call. While
// larger messages come, a larger one is used.
const (
	pageSize      = 4 << 10
	largePageSize = 64 << 10
)

var (
	pages      = sync.Pool{New: func() any { return new([pageSize]byte) }}
	largePages = sync.Pool{New: func() any { return new([largePageSize]byte) }}
)

// An inbuf holds what has arrived and is not yet read. Its page comes from a pool and goes back while
// nothing is buffered and the connection waits, so that idle connections hold none.
type inbuf struct {
	page  []byte
	r, w  int
	large bool // the next page is to be a large one

	streak uint8 // fills in a row that did not have to wait, up to 255; 0 where nobody counts
}

func (b *inbuf) buffered() int { return b.w - b.r }

func (b *inbuf) bytes() []byte { return b.page[b.r:b.w] }

func (b *inbuf) consume(n int) {
	b.r += n
	if b.r == b.w {
		b.r, b.w = 0, 0
	}
}

// space returns where the next input goes, taking a page if there is none. A full page has no space,
// but no header or control frame is as long as a page.
func (b *inbuf) space() []byte {
	if b.r == b.w && b.large != (len(b.page) > pageSize) {
		b.rest()
	}
	if b.page == nil && b.large {
		b.page = largePages.Get().(*[largePageSize]byte)[:]
	} else if b.page == nil {
		b.page = pages.Get().(*[pageSize]byte)[:]
	}
	if b.r > 0 {
		b.w = copy(b.page, b.page[b.r:b.w])
		b.r = 0
	}
	return b.page[b.w:]
}

// rest gives the page back if nothing is buffered.
func (b *inbuf) rest() {
	if b.page == nil || b.r < b.w {
		return
	}
	switch len(b.page) {
	case pageSize:
		pages.Put((*[pageSize]byte)(b.page))
	case largePageSize:
		largePages.Put((*[largePageSize]byte)(b.page))
	}
	b.page = nil
}

// preload puts input here that was read before the connection was ours.
func (b *inbuf) preload(early []byte) {
	if len(early) == 0 {
		return
	}
	if len(early) > pageSize {
		b.page = make([]byte, len(early))
	} else {
		b.space()
	}
	b.w = copy(b.page, early)
}
