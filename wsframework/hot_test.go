package wsframework

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// The paths that every message takes, without a socket: what is left is the framework's own work.

// A memory is a transport whose peer sends the same input again and again, as often as it is told, and
// takes all it is sent.
type memory struct {
	input []byte
	times int
	rest  []byte
	sent  int
}

func (m *memory) fill(in *inbuf) error {
	if len(m.rest) == 0 {
		if m.times == 0 {
			return io.EOF
		}
		m.times--
		m.rest = m.input
	}
	if in.buffered() == 0 {
		in.rest() // as while waiting
	}
	n := copy(in.space(), m.rest)
	in.w += n
	m.rest = m.rest[n:]
	return nil
}

func (m *memory) canTry() bool { return true }

func (m *memory) tryWrite(bufs [][]byte) (n int, err error) {
	for _, b := range bufs {
		n += len(b)
	}
	m.sent += n
	return n, nil
}

func (m *memory) write(bufs [][]byte, _ time.Duration, _ func()) (int, error) {
	return m.tryWrite(bufs)
}
func (m *memory) conn() net.Conn { return nil }
func (m *memory) close() error   { return nil }

var silent = slog.New(slog.DiscardHandler)

type hotHandler struct {
	BaseHandler
	reply func(h *hotHandler, m Message) error
}

func (h *hotHandler) OnMessage(m Message) error { return h.reply(h, m) }

// newHot makes an open connection on a memory.
func newHot(app *Application, reply func(h *hotHandler, m Message) error) (*conn, *memory) {
	h := &hotHandler{reply: reply}
	rt := app.newRoute("/", func() Handler { return new(hotHandler) }, nil)
	c := newConn(rt, httptest.NewRequest("GET", "/", nil))
	c.handler, c.tr = h, new(memory)
	app.begin(c)
	c.out = outbound{tr: c.tr, owner: c, settings: &app.settings}
	c.in.c = c
	c.parts.Store(initialParts)
	c.opened.Store(true)
	h.c.Store(c)
	return c, c.tr.(*memory)
}

// clientFrame is a masked frame, as a client sends it.
func clientFrame(first byte, payload string) []byte {
	b := appendHeader(nil, first, len(payload))
	b[1] |= maskBit
	b = append(b, 1, 2, 3, 4)
	start := len(b)
	b = append(b, payload...)
	unmask(b[start:], b[start:], 0x04030201)
	return b
}

var hotReplies = []struct {
	name   string
	op     opcode
	reply  func(h *hotHandler, m Message) error
	allocs float64 // for each message
}{
	{"nothing", opText, func(*hotHandler, Message) error { return nil }, 1},
	{"WriteBinary", opBinary, func(h *hotHandler, m Message) error { return h.WriteBinary(m.Data) }, 1},
	{"WriteText", opText, func(h *hotHandler, m Message) error { return h.WriteText("hello") }, 1},
	{"WriteMessage", opText, func(h *hotHandler, m Message) error { return h.WriteMessage(m) }, 2},   // the interface
	{"Broadcast", opText, func(h *hotHandler, m Message) error { return h.Broadcast("none", m) }, 4}, // the frame
}

func BenchmarkMessage(b *testing.B) {
	for _, r := range hotReplies {
		for _, burst := range []int{1, 16} {
			b.Run(fmt.Sprint(r.name, "/", burst), func(b *testing.B) {
				c, m := newHot(NewApplication(Settings{AccessLogger: silent}), r.reply)
				m.input = bytes.Repeat(clientFrame(byte(r.op), strings.Repeat("x", 128)), burst)
				m.times = (b.N + burst - 1) / burst
				b.ReportAllocs()
				b.ResetTimer()
				c.read()
			})
		}
	}
}

// What a burst's messages are answered with waits for each other once the handler has shown that it is
// quick, and leaves at once while nobody knows.
func TestOnlyQuickHandlersDeferTheirWrites(t *testing.T) {
	var deferred []bool
	c, m := newHot(NewApplication(Settings{AccessLogger: silent}), func(h *hotHandler, _ Message) error {
		deferred = append(deferred, h.conn().batch.isOpen())
		if len(deferred) == 3 {
			h.conn().app.watch.ticks.Add(1) // it was a long one
		}
		return h.WriteText("hello")
	})
	m.input, m.times = bytes.Repeat(clientFrame(byte(opText), "x"), 5), 1
	c.read()
	if want := []bool{false, true, true, false, false}; !slices.Equal(deferred, want) {
		t.Errorf("deferred: %v, want %v", deferred, want)
	}
	if want := 5 * frameSize(len("hello")); m.sent != want {
		t.Errorf("%d bytes left, want %d", m.sent, want)
	}
}

// A stalled is a memory whose flusher is kept from going on.
type stalled struct {
	memory
	entered, release chan struct{}
}

func (s *stalled) tryWrite(bufs [][]byte) (int, error) {
	select {
	case s.entered <- struct{}{}:
	default:
	}
	<-s.release
	return s.memory.tryWrite(bufs)
}

// A queue that is full because its flusher is not given a processor is no slow peer.
func TestFlusherWithoutAProcessor(t *testing.T) {
	c, _ := newHot(NewApplication(Settings{MaxPendingOut: 1000, AccessLogger: silent}), nil)
	s := &stalled{entered: make(chan struct{}, 1), release: make(chan struct{})}
	c.tr, c.out.tr = s, s
	h := c.handler.(*hotHandler)
	first := make(chan error)
	go func() { first <- h.WriteText("x") }()
	<-s.entered
	const messages = 30
	written := make(chan error, messages)
	go func() {
		for range messages {
			written <- h.WriteText(strings.Repeat("y", 98))
		}
	}()
	for i := range messages {
		if i == 9 {
			close(s.release)
		}
		if err := <-written; err != nil {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if err := <-first; err != nil {
		t.Error(err)
	}
}
