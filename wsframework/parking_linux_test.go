//go:build !386

package wsframework_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// waitForGoroutines waits until n goroutines are in a function.
func waitForGoroutines(t *testing.T, function string, n int) {
	t.Helper()
	stacks := make([]byte, 4<<20)
	for overdue := time.After(time.Minute); ; {
		found := strings.Count(string(stacks[:runtime.Stack(stacks, true)]), function+"(")
		if found == n {
			return
		}
		select {
		case <-overdue:
			t.Fatalf("%d goroutines in %s, want %d", found, function, n)
		case <-time.After(time.Millisecond):
		}
	}
}

// park makes a connection quiet: the second of two pongs in a row says so.
func park(cl *wstest.Client) {
	cl.Pong("")
	cl.Pong("")
}

func TestIdleConnectionsHaveNoGoroutine(t *testing.T) {
	const reading = "wsframework.(*conn).read"
	var mu sync.Mutex
	var probes []*probe
	s := overTCP.probes(t, wsframework.Settings{}, func(p *probe) {
		p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
		mu.Lock()
		probes = append(probes, p)
		mu.Unlock()
	})
	mu.Lock()
	probes = nil // the one that was only looked at
	mu.Unlock()
	var clients []*wstest.Client
	for range 40 {
		clients = append(clients, s.connect())
	}
	waitForGoroutines(t, "wsframework.(*conn).start", 0)
	waitForGoroutines(t, reading, 0)

	for i, cl := range clients {
		cl.Write(fmt.Sprint("hello ", i))
		cl.Expect(fmt.Sprint("hello ", i))
	}
	waitForGoroutines(t, reading, len(clients)) // who has been heard of is waited for
	for _, cl := range clients {
		park(cl)
	}
	waitForGoroutines(t, reading, 0)
	for i, cl := range clients {
		cl.Write(fmt.Sprint("again ", i))
		cl.Expect(fmt.Sprint("again ", i))
		park(cl)
	}
	waitForGoroutines(t, reading, 0)
	waitForGoroutines(t, "wsframework.(*parking).run", 1)

	// Every end reaches who has no goroutine.
	for i, cl := range clients {
		switch i % 3 {
		case 0:
			cl.Vanish()
		case 1:
			cl.WriteClose(1000, "")
		case 2:
			if err := probes[i].Close(1000, ""); err != nil {
				t.Error(err)
			}
			cl.Vanish()
		}
	}
	for _, p := range probes {
		receive(t, p.done)
	}
	waitForGoroutines(t, "wsframework.(*parking).run", 0)
}

// Parking, waking and ending at the same time lose nothing.
func TestParkingAndWaking(t *testing.T) {
	const connections, steps = 24, 200
	s := overTCP.probes(t, wsframework.Settings{CloseTimeout: time.Millisecond}, func(p *probe) {
		p.message = func(m wsframework.Message) error { return p.WriteMessage(m) }
	})
	var all sync.WaitGroup
	for id := range connections {
		cl := s.connect()
		all.Go(func() {
			for i := range steps {
				want := fmt.Sprint(id, " ", i)
				cl.Write(want)
				f, got, err := cl.ReadFrame()
				if err != nil || f != wstest.TextFrame || string(got) != want {
					t.Errorf("%x %q, %v; want %q", f, got, err, want)
					return
				}
				switch (i + id) % 4 {
				case 0:
					park(cl)
				case 1:
					cl.WriteRaw(append(wstest.EncodeFrame(wstest.PongFrame, nil), wstest.EncodeFrame(wstest.PongFrame, nil)...))
					cl.WriteRaw(wstest.EncodeFrame(wstest.PongFrame, nil))
				case 2:
					cl.Pong("")
				}
			}
			if id%2 == 0 {
				cl.Vanish()
			}
		})
	}
	all.Wait()
	for h := range s.app.Connections() {
		h.(*probe).Close(1000, "")
	}
	waitForGoroutines(t, "wsframework.(*parking).run", 0)
}
