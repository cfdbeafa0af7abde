package wsframework_test

import (
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// heap returns how many bytes are in use, after a collection. (Two: finalizers and pools take their
// time.)
func heap() int {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// settledHeap waits until the server has done with what was sent to it.
func settledHeap(n network) int {
	if n.fake {
		synctest.Wait()
		return heap()
	}
	for last := 0; ; {
		now := heap()
		if now <= last+64<<10 {
			return now
		}
		last = now
	}
}

// lean does nothing and keeps nothing.
type lean struct {
	wsframework.BaseHandler
}

func (l *lean) OnMessage(wsframework.Message) error { return nil }

// A header that announces much and brings nothing costs next to nothing, whatever kind of message it
// begins.
func TestAnnouncedMemory(t *testing.T) {
	const announced = 10 << 20
	for name, begin := range map[string]struct {
		first byte
		with  int // bytes of the payload that do come
		limit int // of what one connection may cost, with its client
	}{
		"nothing":                     {0, 0, 30 << 10},
		"one frame, with some bytes":  {wstest.TextFrame, 1000, 100 << 10},
		"a fragment, with some bytes": {0x01, 1000, 30 << 10},
		"a compressed one, with some": {0xC1, 3, 100 << 10}, // an inflater
	} {
		t.Run(name, func(t *testing.T) {
			test := func(t *testing.T, n network) {
				const connections = 300
				settings := wsframework.Settings{PingInterval: -1, Compression: &wsframework.CompressionOptions{}}
				s := n.route(t, settings, func() wsframework.Handler { return new(lean) })
				message := zeroFrame(begin.first, announced)[:14+begin.with]
				before := settledHeap(n)
				for range connections {
					cl := s.connect(offering(deflateOffer))
					if begin.first != 0 {
						cl.WriteRaw(message)
					}
				}
				each := (settledHeap(n) - before) / connections
				if each > begin.limit || each*connections > 40<<20 {
					t.Errorf("one connection costs %d KiB", each>>10)
				}
			}
			synctest.Test(t, func(t *testing.T) { test(t, networks[0]) })
			test(t, overTCP)
		})
	}
}

// A message of the size that is allowed takes little more than its size.
func TestMemoryOfOneMessage(t *testing.T) {
	for _, first := range []byte{wstest.BinaryFrame, 0x02} {
		t.Run(fmt.Sprintf("%x", first), func(t *testing.T) {
			release := make(chan struct{})
			_, p, cl := one(t, overTCP, wsframework.Settings{}, func(p *probe) {
				p.message = func(m wsframework.Message) error { p.events <- fmt.Sprint(len(m.Data)); <-release; return nil }
			})
			defer close(release)
			p.expect(t, "open")
			const size = 10 << 20
			frame := zeroFrame(first, size)
			before := heap()
			cl.WriteRaw(frame)
			if first == 0x02 {
				cl.WriteFrame(0x80, "")
			}
			<-p.events
			if got := receive(t, p.events); got != fmt.Sprint(size) {
				t.Fatalf("a message of %s bytes", got)
			}
			// The probe keeps it twice: as a message and as the text of an event.
			if grown := heap() - before; grown > 3*size {
				t.Errorf("the heap has grown by %d KiB", grown>>10)
			}
		})
	}
}

// zeroFrame encodes a large frame quickly: its key is zero, and so is its payload.
func zeroFrame(first byte, n int) []byte {
	b := make([]byte, 14+n)
	b[0], b[1] = first, 0x80|127
	binary.BigEndian.PutUint64(b[2:], uint64(n))
	return b
}
