package wsframework_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gotornado/gotornado/wsframework"
)

// TestMain fails if a test leaves a goroutine of the framework behind.
func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if left := leakedGoroutines(); left != "" {
			fmt.Fprintf(os.Stderr, "goroutines left behind:\n%s\n", left)
			code = 1
		}
	}
	os.Exit(code)
}

func leakedGoroutines() string {
	deadline := time.After(5 * time.Second)
	for {
		stacks := make([]byte, 1<<20)
		stacks = stacks[:runtime.Stack(stacks, true)]
		var left []string
		for stack := range strings.SplitSeq(string(stacks), "\n\n") {
			if strings.Contains(stack, "/wsframework.") && !strings.Contains(stack, "TestMain") {
				left = append(left, stack)
			}
		}
		if len(left) == 0 {
			return ""
		}
		select {
		case <-deadline:
			return strings.Join(left, "\n\n")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// A network is where a test's server listens.
type network struct {
	name string
	fake bool // time is fake: the test runs in a synctest bubble
	make func(t *testing.T) (net.Listener, func() (net.Conn, error))
}

var networks = []network{
	{"pipe", true, func(t *testing.T) (net.Listener, func() (net.Conn, error)) {
		l := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		return l, l.dial
	}},
	{"tcp", false, listenTCP},
	{"wrapped", false, func(t *testing.T) (net.Listener, func() (net.Conn, error)) {
		l, dial := listenTCP(t)
		return wrappingListener{l}, dial
	}},
	{"tls", false, func(t *testing.T) (net.Listener, func() (net.Conn, error)) {
		s := httptest.NewUnstartedServer(nil)
		s.StartTLS() // for its certificate
		certificates := s.TLS.Certificates
		s.Close()
		l, _ := listenTCP(t)
		addr := l.Addr().String()
		return tls.NewListener(l, &tls.Config{Certificates: certificates}), func() (net.Conn, error) {
			return tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		}
	}},
}

func listenTCP(t *testing.T) (net.Listener, func() (net.Conn, error)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
}

// A wrappingListener hides the type of its connections, as a library that counts bytes would.
type wrappingListener struct{ net.Listener }

func (l wrappingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return struct{ net.Conn }{c}, nil
}

// A pipeListener's connections are in memory.
type pipeListener struct {
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (l *pipeListener) dial() (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case l.conns <- server:
		return client, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

// everywhere runs a test on every kind of network.
func everywhere(t *testing.T, test func(t *testing.T, n network)) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			if n.fake {
				synctest.Test(t, func(t *testing.T) { test(t, n) })
			} else {
				test(t, n)
			}
		})
	}
}

// inBubble runs a test that is about time.
func inBubble(t *testing.T, test func(t *testing.T, n network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, networks[0]) })
}

// A server is a running application.
type server struct {
	t    *testing.T
	app  *wsframework.Application
	log  *logRecorder
	dial func() (net.Conn, error)
}

// serve runs an application on a network until the test ends.
func (n network) serve(t *testing.T, settings wsframework.Settings, register func(*wsframework.Application)) *server {
	t.Helper()
	s := &server{t: t, log: new(logRecorder)}
	settings.Logger = newLogger(s.log)
	if settings.AccessLogger == nil {
		settings.AccessLogger = slog.New(refusalsOnly{settings.Logger.Handler()})
	}
	s.app = wsframework.NewApplication(settings)
	register(s.app)
	listener, dial := n.make(t)
	s.dial = dial
	served := make(chan error, 1)
	go func() { served <- s.app.Serve(listener) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.app.Shutdown(ctx); err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	return s
}

// route serves one handler under /ws.
func (n network) route(t *testing.T, settings wsframework.Settings, factory func() wsframework.Handler, options ...wsframework.RouteOption) *server {
	t.Helper()
	return n.serve(t, settings, func(app *wsframework.Application) { app.WebSocket("/ws", factory, options...) })
}

// probes serves probes under /ws with what configure gives each of them.
func (n network) probes(t *testing.T, settings wsframework.Settings, configure func(*probe), options ...wsframework.RouteOption) *server {
	t.Helper()
	return n.route(t, settings, func() wsframework.Handler {
		p := &probe{events: make(chan string, 10000), done: make(chan struct{})}
		configure(p)
		return p
	}, options...)
}

// A probe is a handler whose hooks a test sets.
type probe struct {
	wsframework.BaseHandler
	prepare   func() error
	user      func() (any, error)
	origin    func(string) bool
	subproto  func([]string) string
	open      func() error
	message   func(wsframework.Message) error
	ping      func([]byte)
	pong      func([]byte)
	close     func()
	events    chan string
	done      chan struct{} // closed when OnClose has returned
	closeCode int
	closeText string
	cause     *wsframework.CloseError
}

func (p *probe) Prepare() error {
	if p.prepare != nil {
		return p.prepare()
	}
	return p.BaseHandler.Prepare()
}

func (p *probe) GetCurrentUser() (any, error) {
	if p.user != nil {
		return p.user()
	}
	return p.BaseHandler.GetCurrentUser()
}

func (p *probe) CheckOrigin(origin string) bool {
	if p.origin != nil {
		return p.origin(origin)
	}
	return p.BaseHandler.CheckOrigin(origin)
}

func (p *probe) SelectSubprotocol(offered []string) string {
	if p.subproto != nil {
		return p.subproto(offered)
	}
	return p.BaseHandler.SelectSubprotocol(offered)
}

func (p *probe) Open() error {
	p.events <- "open"
	if p.open != nil {
		return p.open()
	}
	return p.BaseHandler.Open()
}

func (p *probe) OnMessage(m wsframework.Message) error {
	p.events <- "message " + m.String()
	if p.message != nil {
		return p.message(m)
	}
	return nil
}

func (p *probe) OnPing(data []byte) {
	p.events <- "ping " + string(data)
	p.BaseHandler.OnPing(data)
	if p.ping != nil {
		p.ping(data)
	}
}

func (p *probe) OnPong(data []byte) {
	p.events <- "pong " + string(data)
	p.BaseHandler.OnPong(data)
	if p.pong != nil {
		p.pong(data)
	}
}

func (p *probe) OnClose() {
	p.closeCode, p.closeText = p.CloseCode(), p.CloseReason()
	errors.As(context.Cause(p.Context()), &p.cause)
	p.events <- fmt.Sprintf("close %d %s", p.closeCode, p.closeText)
	defer close(p.done)
	p.BaseHandler.OnClose()
	if p.close != nil {
		p.close()
	}
}

// expect waits for the next event.
func (p *probe) expect(t *testing.T, want string) {
	t.Helper()
	if got := receive(t, p.events); got != want {
		t.Fatalf("event %q, want %q", got, want)
	}
}

// receive waits for a value, but not for ever.
func receive[T any](t *testing.T, ch <-chan T) (value T) {
	t.Helper()
	select {
	case value = <-ch:
	case <-time.After(20 * time.Minute): // fake time passes, and go test has its own limit
		t.Fatal("nothing came")
	}
	return value
}

// quiet is for tests that do not look at the log.
var quiet = newLogger(io.Discard)

func newLogger(w io.Writer) *slog.Logger { return slog.New(slog.NewTextHandler(w, nil)) }

// refusalsOnly leaves out of an access log what went well, and failures, which Logger gets.
type refusalsOnly struct{ slog.Handler }

func (h refusalsOnly) Handle(ctx context.Context, r slog.Record) error {
	if strings.Contains(r.Message, "refused") && r.Level < slog.LevelError {
		return h.Handler.Handle(ctx, r)
	}
	return nil
}

// A logRecorder keeps log lines.
type logRecorder struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logRecorder) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logRecorder) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (l *logRecorder) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text.Reset()
}

// newSessions makes a manager whose own store starts no goroutine. (scs.New starts one for the store
// that is replaced here, so call it outside of bubbles.)
func newSessions() *scs.SessionManager {
	manager := scs.New()
	manager.Store = memstore.NewWithCleanupInterval(0)
	return manager
}

// A client speaks raw WebSocket frames.
type client struct {
	t  *testing.T
	c  net.Conn
	br *bufio.Reader
}

const testKey = "dGhlIHNhbXBsZSBub25jZQ=="

// request sends a handshake with more header lines and returns the answer.
func (s *server) request(path string, header ...string) (*client, *http.Response) {
	s.t.Helper()
	c, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { c.Close() })
	cl := &client{t: s.t, c: c, br: bufio.NewReader(c)}
	text := "GET " + path + " HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + testKey + "\r\n"
	for _, line := range header {
		text += line + "\r\n"
	}
	cl.raw([]byte(text + "\r\n"))
	response, err := http.ReadResponse(cl.br, &http.Request{Method: "GET"})
	if err != nil {
		s.t.Fatal(err)
	}
	return cl, response
}

// connect opens a WebSocket.
func (s *server) connect(header ...string) *client {
	s.t.Helper()
	cl, response := s.request("/ws", header...)
	if response.StatusCode != 101 {
		body, _ := io.ReadAll(response.Body)
		s.t.Fatalf("handshake answered %s: %s", response.Status, body)
	}
	return cl
}

func (cl *client) raw(b []byte) {
	cl.t.Helper()
	if _, err := cl.c.Write(b); err != nil {
		cl.t.Fatalf("client writes: %v", err)
	}
}

// frameBytes encodes a client's frame: first is FIN, RSV and opcode.
func frameBytes(first byte, payload []byte) []byte {
	b := []byte{first}
	switch n := len(payload); {
	case n <= 125:
		b = append(b, 0x80|byte(n))
	case n <= 0xFFFF:
		b = append(b, 0x80|126)
		b = binary.BigEndian.AppendUint16(b, uint16(n))
	default:
		b = append(b, 0x80|127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	key := [4]byte{0x12, 0xA4, 0x56, 0x7B}
	b = append(b, key[:]...)
	for i, c := range payload {
		b = append(b, c^key[i%4])
	}
	return b
}

// zeroFrame encodes a large frame quickly: its key is zero, and so is its payload.
func zeroFrame(first byte, n int) []byte {
	b := make([]byte, 14+n)
	b[0], b[1] = first, 0x80|127
	binary.BigEndian.PutUint64(b[2:], uint64(n))
	return b
}

const (
	text   = 0x81
	binry  = 0x82
	closed = 0x88
	ping   = 0x89
	pong   = 0x8A
)

func (cl *client) send(first byte, payload string) {
	cl.t.Helper()
	cl.raw(frameBytes(first, []byte(payload)))
}

func (cl *client) sendClose(code int, reason string) {
	cl.t.Helper()
	cl.send(closed, string(binary.BigEndian.AppendUint16(nil, uint16(code)))+reason)
}

// read reads one frame of the server.
func (cl *client) read() (first byte, payload []byte, err error) {
	head := make([]byte, 2)
	if _, err := io.ReadFull(cl.br, head); err != nil {
		return 0, nil, err
	}
	if head[1]&0x80 != 0 {
		return 0, nil, errors.New("the server masks")
	}
	n := uint64(head[1])
	if n >= 126 {
		size := 2
		if n == 127 {
			size = 8
		}
		ext := make([]byte, 8)
		if _, err := io.ReadFull(cl.br, ext[8-size:]); err != nil {
			return 0, nil, err
		}
		n = binary.BigEndian.Uint64(ext)
	}
	payload = make([]byte, n)
	_, err = io.ReadFull(cl.br, payload)
	return head[0], payload, err
}

func (cl *client) expect(first byte, payload string) {
	cl.t.Helper()
	f, p, err := cl.read()
	for err == nil && first != ping && f == ping && len(p) == 0 { // keep-alive
		cl.send(pong, "")
		f, p, err = cl.read()
	}
	if err != nil {
		cl.t.Fatalf("client reads: %v, want frame %x %.40q", err, first, payload)
	}
	if f != first || string(p) != payload {
		cl.t.Fatalf("client got frame %x %.40q, want %x %.40q", f, p, first, payload)
	}
}

func (cl *client) expectText(payload string) { cl.t.Helper(); cl.expect(text, payload) }

// expectClose reads a close frame; code 1005 means an empty one.
func (cl *client) expectClose(code int, reason string) {
	cl.t.Helper()
	want := ""
	if code != 1005 {
		want = string(binary.BigEndian.AppendUint16(nil, uint16(code))) + reason
	}
	cl.expect(closed, want)
}

// expectEnd reads until the server closes the connection.
func (cl *client) expectEnd() {
	cl.t.Helper()
	f, p, err := cl.read()
	for err == nil && f == ping && len(p) == 0 {
		f, p, err = cl.read()
	}
	if err == nil {
		cl.t.Fatalf("client got frame %x %.40q, want the end", f, p)
	}
}

// shake answers a close frame and sees the connection end.
func (cl *client) shake(code int, reason string) {
	cl.t.Helper()
	cl.expectClose(code, reason)
	cl.sendClose(1000, "")
	cl.expectEnd()
}
