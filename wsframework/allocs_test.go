//go:build !race

// Under the race detector a sync.Pool forgets what it is given now and then.

package wsframework

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

// What a message costs: one allocation for its data, and none for answering it.
func TestAllocationsOfAMessage(t *testing.T) {
	for _, r := range hotReplies {
		for _, burst := range []int{1, 16} {
			t.Run(fmt.Sprint(r.name, "/", burst), func(t *testing.T) {
				const rounds = 200
				c, m := newHot(NewApplication(Settings{AccessLogger: silent, MaxPendingOut: -1}), r.reply)
				m.input = bytes.Repeat(clientFrame(byte(r.op), strings.Repeat("x", 128)), burst)
				perRun := testing.AllocsPerRun(20, func() {
					m.times = rounds
					for range rounds * burst {
						message, err := c.in.next()
						if err != nil {
							t.Fatal(err)
						}
						if c.in.in.buffered() > 0 {
							c.batch.begin()
						}
						if !c.line.enter(task{kind: taskMessage, message: message}) || !c.callInline(task{kind: taskMessage, message: message}) {
							t.Fatal("the line is busy")
						}
					}
					c.batch.end()
				})
				if got := perRun / (rounds * float64(burst)); got > r.allocs+0.15 { // a burst starts a goroutine now and then
					t.Errorf("%.2f allocations a message, want %v", got, r.allocs)
				}
			})
		}
	}
}

// A compressed message costs no more, as long as it is small.
func TestAllocationsOfACompressedMessage(t *testing.T) {
	for _, extensions := range []string{again, deflating} {
		for _, size := range []int{16, 128, 1 << 10} {
			c, m := newHot(NewApplication(Settings{AccessLogger: silent}), nil)
			c.deflate = termsOf(extensions)
			m.input = compressedFrame(opText, phrases(size))
			got := testing.AllocsPerRun(1000, func() {
				m.times = 1
				if _, err := c.in.next(); err != nil {
					t.Fatal(err)
				}
			})
			if got > 1.1 {
				t.Errorf("%s: %.2f allocations for %d bytes, want 1", extensions, got, size)
			}
		}
	}
}
