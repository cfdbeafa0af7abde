package wsframework_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// What a handler writes while more input is buffered waits for the rest of the burst, but never for
// the handler.
func TestDeferredWriteDoesNotWaitForTheHandler(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		release := make(chan struct{})
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.open = func() error { return p.Join("g") }
			p.message = func(m wsframework.Message) error {
				p.WriteText("own " + m.String())
				p.Broadcast("g", "all "+m.String())
				<-release
				return nil
			}
		})
		cl := s.connect()
		cl.WriteRaw(join(f(wstest.TextFrame, "1"), f(wstest.TextFrame, "2"), f(wstest.TextFrame, "3"))) // one segment
		cl.Expect("own 1")
		cl.Expect("all 1")
		close(release)
		for i := 2; i <= 3; i++ {
			cl.Expect(fmt.Sprint("own ", i))
			cl.Expect(fmt.Sprint("all ", i))
		}
	})
}

// A countingListener counts the writes of the connections it accepts.
type countingListener struct {
	net.Listener
	writes *atomic.Int64
}

type countingConn struct {
	net.Conn
	writes *atomic.Int64
}

func (l countingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return countingConn{c, l.writes}, nil
}

func (c countingConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

func TestBurstLeavesInFewWrites(t *testing.T) {
	// With one processor the goroutine that deferred writes are also handed to does not interfere.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var writes atomic.Int64
	counting := network{make: func(t *testing.T) (net.Listener, func() (net.Conn, error)) {
		l, dial := listenTCP(t)
		return countingListener{l, &writes}, dial
	}}
	s := counting.probes(t, wsframework.Settings{}, func(p *probe) {
		p.open = func() error { p.Join("g"); return p.WriteText("in") }
		p.message = func(m wsframework.Message) error { return p.Broadcast("g", m) }
	})
	const bursts, each = 50, 16
	sender, receiver := s.connect(), s.connect()
	sender.Expect("in")
	receiver.Expect("in")
	before := writes.Load()
	burst := bytes.Repeat(f(wstest.TextFrame, strings.Repeat("x", 100)), each)
	for range bursts {
		sender.WriteRaw(burst)
		for _, cl := range []*wstest.Client{sender, receiver} {
			for range each {
				cl.Expect(strings.Repeat("x", 100))
			}
		}
	}
	if got := writes.Load() - before; got > bursts*each {
		t.Errorf("%d writes for %d bursts of %d messages to 2 receivers", got, bursts, each)
	} else {
		t.Logf("%d writes for %d deliveries", got, 2*bursts*each)
	}
}

func TestLargeMessagesFromManyGoroutines(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{MaxPendingOut: -1}, func(*probe) {})
		p.expect(t, "open")
		sizes := []int{1, 4000, 4096, 5000, 65535, 65536, 300000}
		for i, size := range sizes {
			go func() {
				data := bytes.Repeat([]byte{byte('a' + i)}, size)
				for range 10 {
					p.WriteBinary(data)
				}
				clear(data) // nothing keeps it
			}()
		}
		total := 0
		for range 10 * len(sizes) {
			_, payload, err := cl.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			if i := payload[0] - 'a'; len(payload) != sizes[i] || len(bytes.Trim(payload, string(payload[:1]))) != 0 {
				t.Fatalf("message %c is torn", payload[0])
			}
			total += len(payload)
		}
		go io.Copy(io.Discard, cl.Conn())
	})
}

// With one processor, a handler that writes and then computes does not keep what it wrote, whether or not
// more input waits and whether or not it was quick before.
func TestWritesLeaveWhileTheHandlerComputes(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	for _, before := range []string{"", "be quick"} {
		t.Run("after "+before, func(t *testing.T) {
			var done atomic.Bool
			_, p, cl := one(t, overTCP, wsframework.Settings{}, func(p *probe) {
				p.message = func(m wsframework.Message) error {
					if err := p.WriteMessage(m); err != nil || m.String() == before {
						return err
					}
					for !done.Load() {
					}
					return nil
				}
			})
			p.expect(t, "open")
			if before != "" {
				cl.Write(before)
				cl.Expect(before)
			}
			var burst []byte
			for range 5 {
				burst = append(burst, wstest.EncodeFrame(wstest.TextFrame, []byte("compute"))...)
			}
			cl.WriteRaw(burst)
			cl.Expect("compute")
			done.Store(true)
			for range 4 {
				cl.Expect("compute")
			}
		})
	}
}
