package wsframework_test

import (
	"bytes"
	"runtime"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A connection whose peer floods it leaves the reading again and again, so that others are heard: the next
// message is then read by another goroutine. Nothing is lost meanwhile.
func TestFloodGivesWay(t *testing.T) {
	const messages, size = 400, 1000
	proceed, counted := make(chan struct{}), make(chan int, 1)
	readers, n := make(map[string]bool), 0
	s := overTCP.probes(t, wsframework.Settings{}, func(p *probe) {
		p.open = func() error { <-proceed; return nil }
		p.message = func(m wsframework.Message) error {
			readers[goroutineName()] = true
			if n++; m.String() != floodOf(n, size) {
				t.Errorf("message %d is %.40q", n, m)
			}
			if n == messages {
				counted <- len(readers)
			}
			return nil
		}
	})
	c := s.connect()
	var flood []byte
	for i := range messages {
		flood = append(flood, wstest.EncodeFrame(wstest.TextFrame, []byte(floodOf(i+1, size)))...)
	}
	c.WriteRaw(flood)
	close(proceed)
	if got := receive(t, counted); got < 3 {
		t.Errorf("%d bytes were read by %d goroutines, want some more", len(flood), got)
	}
}

func floodOf(n, size int) string { return strings.Repeat(string(rune('a'+n%26)), size) }

func goroutineName() string {
	stack := make([]byte, 64)
	name, _, _ := bytes.Cut(stack[:runtime.Stack(stack, false)], []byte(" ["))
	return string(name)
}
