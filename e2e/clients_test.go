package e2e

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/coder/websocket"

	"github.com/gotornado/gotornado/internal/testtool"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// compressions are what a server can offer; testdata/checks.py knows their names.
var compressions = map[string]*wsframework.CompressionOptions{
	"off":         nil,
	"independent": {},
	"takeover":    {ContextTakeover: true},
}

// eachCompression runs a test against a server of each kind. The server may not log anything: peers that
// come, do what the protocol allows, and go or vanish are no news.
func eachCompression(t *testing.T, test func(t *testing.T, compression, site string, ends <-chan end)) {
	for _, compression := range slices.Sorted(maps.Keys(compressions)) {
		t.Run(compression, func(t *testing.T) {
			log := wstest.NewLog(t)
			app := wsframework.NewApplication(wsframework.Settings{
				Logger:      log.Logger(slog.LevelWarn),
				Compression: compressions[compression],
			})
			ends := make(chan end, 100)
			app.WebSocket("/echo", func() wsframework.Handler { return new(echoHandler) })
			app.WebSocket("/json", func() wsframework.Handler { return new(jsonHandler) })
			app.WebSocket("/command", func() wsframework.Handler { return &commandHandler{ends: ends} })
			test(t, compression, "ws"+strings.TrimPrefix(wstest.Serve(t, app, wstest.TCP()), "http"), ends)
			log.ExpectNothing()
		})
	}
}

type echoHandler struct{ wsframework.BaseHandler }

func (h *echoHandler) OnMessage(m wsframework.Message) error { return h.WriteMessage(m) }

type jsonHandler struct{ wsframework.BaseHandler }

func (h *jsonHandler) OnMessage(m wsframework.Message) error {
	var v any
	if err := m.JSON(&v); err != nil {
		return err
	}
	return h.WriteJSON(map[string]any{"received": v})
}

// A commandHandler does what its peer tells it, and tells its peer of pings and pongs.
type commandHandler struct {
	wsframework.BaseHandler
	ends chan<- end
}

// An end is how a connection ended that was opened with a query "case".
type end struct {
	name, reason string
	code         int
}

func (h *commandHandler) SelectSubprotocol(offered []string) string {
	if slices.Contains(offered, "chat.v2") {
		return "chat.v2"
	}
	return ""
}

func (h *commandHandler) OnMessage(m wsframework.Message) error {
	command, argument, _ := strings.Cut(m.String(), " ")
	switch command {
	case "ping":
		return h.Ping([]byte(argument))
	case "close":
		number, reason, _ := strings.Cut(argument, " ")
		code, err := strconv.Atoi(number)
		if err != nil {
			return err
		}
		return h.Close(code, reason)
	}
	return fmt.Errorf("unknown command %q", m)
}

func (h *commandHandler) OnPing(data []byte) { h.WriteText("ping " + hex.EncodeToString(data)) }
func (h *commandHandler) OnPong(data []byte) { h.WriteText("pong " + hex.EncodeToString(data)) }

func (h *commandHandler) OnClose() {
	if name := h.Argument("case"); name != "" {
		h.ends <- end{name, h.CloseReason(), h.CloseCode()}
	}
}

// findPython returns a function that finds a Python that has the module.
func findPython(module string) func() string {
	return func() string {
		// Debian's packages belong to Debian's Python, which need not be the first in the PATH.
		for _, name := range []string{"/usr/bin/python3", "python3"} {
			if path, err := exec.LookPath(name); err == nil && exec.Command(path, "-c", "import "+module).Run() == nil {
				return path
			}
		}
		return ""
	}
}

func TestPythonWebsockets(t *testing.T) {
	python := testtool.Need(t, "python3-websockets", findPython("websockets"))
	eachCompression(t, func(t *testing.T, compression, site string, ends <-chan end) {
		runClient(t, python, "websockets_client.py", compression, site)
		wantEnds(t, ends, end{"no code", "", 1000}) // this client always sends one
	})
}

func TestTornadoClient(t *testing.T) {
	python := testtool.Need(t, "python3-tornado", findPython("tornado"))
	eachCompression(t, func(t *testing.T, compression, site string, ends <-chan end) {
		runClient(t, python, "tornado_client.py", compression, site)
		wantEnds(t, ends, end{"no code", "", wsframework.CloseNoStatus})
	})
}

// runClient runs a script of testdata, which makes the checks of checks.py.
func runClient(t *testing.T, python, script, compression, site string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 3*patience)
	defer cancel()
	client := exec.CommandContext(ctx, python, filepath.Join("testdata", script), site, compression)
	client.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	output, err := client.CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, output)
	}
	t.Logf("%s", output)
}

// wantEnds waits for the ends that checks.py makes beside the one given.
func wantEnds(t *testing.T, ends <-chan end, own end) {
	t.Helper()
	want := []end{
		own,
		{"code", "", 1001},
		{"code and reason", "bis bald, 小明", 4002},
		{"dropped", "", wsframework.CloseAbnormal},
	}
	var got []end
	for range want {
		got = append(got, receive(t, ends))
	}
	byName := func(a, b end) int { return strings.Compare(a.name, b.name) }
	slices.SortFunc(got, byName)
	slices.SortFunc(want, byName)
	if !slices.Equal(got, want) {
		t.Errorf("the server saw these ends: %v\nwant: %v", got, want)
	}
}

// coder/websocket's client, with each of its kinds of compression against each of the server's.
func TestCoderClient(t *testing.T) {
	modes := map[string]websocket.CompressionMode{
		"disabled":           websocket.CompressionDisabled,
		"no context":         websocket.CompressionNoContextTakeover,
		"context taken over": websocket.CompressionContextTakeover,
	}
	eachCompression(t, func(t *testing.T, compression, site string, ends <-chan end) {
		for _, name := range slices.Sorted(maps.Keys(modes)) {
			t.Run(name, func(t *testing.T) {
				p := dialCoder(t, site, modes[name])
				agreed := strings.Contains(p.extensions, "permessage-deflate")
				if want := compression != "off" && name != "disabled"; agreed != want {
					t.Errorf("compression agreed on: %t, want %t (%s)", agreed, want, p.extensions)
				}
				p.echoSizes()
				remembers := compression == "takeover" && name == "context taken over"
				if arrived := p.echoNoise(); (arrived < 4*noiseSize) != remembers {
					t.Errorf("16 KiB of noise 5 times arrived as %d bytes (%s)", arrived, p.extensions)
				}
				if err := p.conn.Close(websocket.StatusNormalClosure, "enough"); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
		}
		coderCloses(t, site, ends)
		coderSpeaksJSON(t, site)
	})
}

// A coderPeer is a client that counts what it reads.
type coderPeer struct {
	t          *testing.T
	conn       *websocket.Conn
	extensions string // the answer's header
	bytesIn    atomic.Int64
}

func dialCoder(t *testing.T, site string, mode websocket.CompressionMode) *coderPeer {
	t.Helper()
	p := &coderPeer{t: t}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		return countingConn{conn, &p.bytesIn}, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	conn, response, err := websocket.Dial(t.Context(), site+"/echo", &websocket.DialOptions{
		HTTPClient:           &http.Client{Transport: transport},
		CompressionMode:      mode,
		CompressionThreshold: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	conn.SetReadLimit(-1)
	p.conn, p.extensions = conn, response.Header.Get("Sec-WebSocket-Extensions")
	return p
}

type countingConn struct {
	net.Conn
	in *atomic.Int64
}

func (c countingConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.in.Add(int64(n))
	return n, err
}

func (p *coderPeer) echo(kind websocket.MessageType, data []byte) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	if err := p.conn.Write(ctx, kind, data); err != nil {
		p.t.Fatal(err)
	}
	gotKind, got, err := p.conn.Read(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	if gotKind != kind || !bytes.Equal(got, data) {
		p.t.Fatalf("%v of %d bytes came back as %v of %d bytes, or with others", kind, len(data), gotKind, len(got))
	}
}

func (p *coderPeer) echoSizes() {
	p.t.Helper()
	for _, size := range []int{0, 1, 20, 255, 256, 257, 1000, 32768, 65536, 200_000, 1 << 20, 65536, 300, 1} {
		text := []byte(strings.Repeat("明白 is said again. ", size/22+1)[:size/22*22])
		noise := noiseOf(size)
		for range 2 {
			p.echo(websocket.MessageText, text)
			p.echo(websocket.MessageBinary, noise)
			p.echo(websocket.MessageBinary, text)
		}
	}
}

const noiseSize = 16 << 10

// echoNoise tells how many bytes arrive for five times the same that can't be compressed by itself:
// more than five times its size, or, from a server that remembers the first, 2.1 to 3.4 times, as
// compress/flate's fastest level looks for repetitions here and there only.
func (p *coderPeer) echoNoise() int64 {
	p.t.Helper()
	noise, before := noiseOf(noiseSize), p.bytesIn.Load()
	for range 5 {
		p.echo(websocket.MessageBinary, noise)
	}
	return p.bytesIn.Load() - before
}

func noiseOf(size int) []byte {
	noise := make([]byte, size)
	rand.Read(noise)
	return noise
}

func coderCloses(t *testing.T, site string, ends <-chan end) {
	t.Run("close", func(t *testing.T) {
		conn, _, err := websocket.Dial(t.Context(), site+"/command?case=coder", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := conn.Close(4321, "到此为止"); err != nil {
			t.Errorf("Close: %v", err)
		}
		if got, want := receive(t, ends), (end{"coder", "到此为止", 4321}); got != want {
			t.Errorf("the server saw %v, want %v", got, want)
		}

		conn, _, err = websocket.Dial(t.Context(), site+"/command", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.CloseNow()
		if err := conn.Write(t.Context(), websocket.MessageText, []byte("close 4001 再见")); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, _, err = conn.Read(ctx)
		want := websocket.CloseError{Code: 4001, Reason: "再见"}
		var got websocket.CloseError
		if !errors.As(err, &got) || got != want {
			t.Errorf("the client saw %v, want %v", err, want)
		}
	})
}

func coderSpeaksJSON(t *testing.T, site string) {
	t.Run("json", func(t *testing.T) {
		conn, _, err := websocket.Dial(t.Context(), site+"/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close(websocket.StatusNormalClosure, "")
		if err := conn.Write(t.Context(), websocket.MessageText, []byte(`{"名": [1, null, "<&>"]}`)); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		_, data, err := conn.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var got struct{ Received map[string][]any }
		if err := json.Unmarshal(data, &got); err != nil || fmt.Sprint(got.Received) != "map[名:[1 <nil> <&>]]" {
			t.Errorf("the answer is %s (%v)", data, err)
		}
	})
}
