package e2e

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gotornado/gotornado/internal/testtool"
	"github.com/gotornado/gotornado/wsframework"
)

// The servers of other makers, in testdata, are started with "on" or "off" for compression. They print
// "port" and the port, and for each connection that was opened with a query "case" a line with "end", the
// case, the code (1005: none) and the reason. Under /echo they echo, and choose the subprotocol chat.v2.
// Under /command they obey:
//
//	ping DATA          they ping, and send "pong DATA" when the pong is there
//	close CODE REASON  they close
//	drop               they cut the connection

func TestTornadoServer(t *testing.T) {
	python := testtool.Need(t, "python3-tornado", findPython("tornado"))
	// It does not hear that it is not to take its context over, and its answer says so.
	eachServer(t, python, "tornado_server.py", serverPeer{noCode: wsframework.CloseNoStatus, stubborn: true})
}

func TestPythonWebsocketsServer(t *testing.T) {
	python := testtool.Need(t, "python3-websockets", findPython("websockets"))
	eachServer(t, python, "websockets_server.py", serverPeer{noCode: 1000}) // it always sends a code
}

// eachServer checks Connect, with each of its kinds of compression, against a server with and without.
func eachServer(t *testing.T, python, script string, habits serverPeer) {
	for _, offers := range []string{"off", "on"} {
		t.Run("server "+offers, func(t *testing.T) {
			address, ends := startServer(t, python, script, offers)
			for _, name := range slices.Sorted(maps.Keys(compressions)) {
				t.Run(name, func(t *testing.T) {
					p := habits
					p.t, p.address, p.ends = t, address, ends
					p.bytesIn = new(atomic.Int64)
					p.compression, p.compresses = name, offers == "on" && name != "off"
					p.echoes()
					p.pings()
					p.closes()
					p.refuses()
				})
			}
		})
	}
}

// startServer runs a script of testdata until the test ends.
func startServer(t *testing.T, python, script, offers string) (address string, ends <-chan string) {
	t.Helper()
	server := exec.CommandContext(t.Context(), python, filepath.Join("testdata", script), offers)
	server.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	output, err := server.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var complaints bytes.Buffer
	server.Stderr = &complaints
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 100)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	t.Cleanup(func() {
		server.Process.Kill()
		<-read
		server.Wait()
		if t.Failed() {
			t.Logf("%s: %s", script, &complaints)
		}
	})
	port, isPort := strings.CutPrefix(receive(t, lines), "port ")
	if !isPort {
		t.Fatalf("%s did not say its port: %s", script, &complaints)
	}
	return "ws://127.0.0.1:" + port, lines
}

// A serverPeer checks a server with one kind of compression.
type serverPeer struct {
	t           *testing.T
	address     string
	ends        <-chan string
	compression string
	compresses  bool // both sides do
	noCode      int  // the code of its close frame if it is told none
	stubborn    bool // it takes its context over if that is not wanted
	bytesIn     *atomic.Int64
}

func (p *serverPeer) connect(path string) *wsframework.ClientConn {
	p.t.Helper()
	transport := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, addr)
		if path != "/echo" {
			return conn, err
		}
		return countingConn{conn, p.bytesIn}, err
	}}
	c, err := wsframework.Connect(p.t.Context(), p.address+path, &wsframework.ConnectOptions{
		HTTPClient:   &http.Client{Transport: transport},
		Compression:  compressions[p.compression],
		Subprotocols: []string{"chat.v1", "chat.v2"},
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		c.Close(0, "")
		c.ReadMessage(ctx)
	})
	return c
}

func (p *serverPeer) expect(c *wsframework.ClientConn, kind wsframework.MessageType, want []byte) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	m, err := c.ReadMessage(ctx)
	if err != nil {
		p.t.Fatal(err)
	}
	if m.Type != kind || !bytes.Equal(m.Data, want) {
		p.t.Fatalf("got %v of %d bytes, want %v of %d bytes", m.Type, len(m.Data), kind, len(want))
	}
}

func (p *serverPeer) echoes() {
	p.t.Helper()
	c := p.connect("/echo")
	if c.Subprotocol() != "chat.v2" {
		p.t.Errorf("the subprotocol is %q", c.Subprotocol())
	}
	if agreed := strings.Contains(c.Header().Get("Sec-WebSocket-Extensions"), "permessage-deflate"); agreed != p.compresses {
		p.t.Errorf("compression was agreed on: %t", agreed)
	}
	for _, size := range []int{0, 1, 125, 126, 256, 1000, 65_535, 65_536, 1 << 20, 5 << 20, 300, 1} {
		text := []byte(strings.Repeat("明白 is said again. ", size/22+1)[:size/22*22])
		noise := noiseOf(size)
		before := p.bytesIn.Load()
		for range 2 {
			c.WriteText(string(text))
			p.expect(c, wsframework.TextMessage, text)
		}
		if short := p.bytesIn.Load()-before < int64(len(text)); short != p.compresses && size >= 1000 {
			p.t.Errorf("text of %d bytes came compressed: %t", len(text), short)
		}
		c.WriteBinary(noise)
		p.expect(c, wsframework.BinaryMessage, noise)
	}
	before, noise := p.bytesIn.Load(), noiseOf(2<<10) // within the smallest window
	for range 5 {
		c.WriteBinary(noise)
		p.expect(c, wsframework.BinaryMessage, noise)
	}
	remembers := p.bytesIn.Load()-before < int64(4*len(noise))
	if want := p.compresses && (p.stubborn || p.compression == "takeover"); remembers != want {
		p.t.Errorf("the server takes its context over: %t, want %t (%s)", remembers, want, c.Header()["Sec-Websocket-Extensions"])
	}
}

func (p *serverPeer) pings() {
	p.t.Helper()
	c := p.connect("/command")
	if err := c.Ping([]byte("from the client")); err != nil {
		p.t.Fatal(err)
	}
	c.WriteText("ping 明白")
	p.expect(c, wsframework.TextMessage, []byte("pong 明白"))
	if c.LastPong().IsZero() {
		p.t.Error("the server did not answer a ping")
	}
}

func (p *serverPeer) closes() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), patience)
	defer cancel()
	for _, own := range []struct {
		code, seen int
		reason     string
	}{{1000, 1000, ""}, {1001, 1001, "leaving"}, {4321, 4321, "到此为止"}, {0, wsframework.CloseNoStatus, ""}} {
		c := p.connect("/command?case=own")
		c.Close(own.code, own.reason)
		c.ReadMessage(ctx)
		if c.CloseCode() != own.seen || ctx.Err() != nil {
			p.t.Errorf("closed with %d", c.CloseCode())
		}
		want := strings.TrimSpace(fmt.Sprintf("end own %d %s", own.seen, own.reason))
		if got := strings.TrimSpace(receive(p.t, p.ends)); got != want {
			p.t.Errorf("the server saw %q, want %q", got, want)
		}
	}
	for command, want := range map[string]wsframework.CloseError{
		"close 4001 再见": {Code: 4001, Reason: "再见", Remote: true},
		"close 1001":    {Code: 1001, Remote: true},
		"close":         {Code: p.noCode, Remote: true},
		"drop":          {Code: wsframework.CloseAbnormal},
	} {
		c := p.connect("/command")
		c.WriteText(command)
		_, err := c.ReadMessage(ctx)
		var got *wsframework.CloseError
		if !errors.As(err, &got) || got.Code != want.Code || got.Reason != want.Reason || got.Remote != want.Remote {
			p.t.Errorf("%s: the client saw %v, want %v", command, err, &want)
		}
		if command == "drop" && !errors.Is(err, wsframework.ErrPeerGone) {
			p.t.Errorf("%s: %v", command, err)
		}
	}
}

func (p *serverPeer) refuses() {
	p.t.Helper()
	_, err := wsframework.Connect(p.t.Context(), p.address+"/nowhere", nil)
	var refused *wsframework.HandshakeError
	if !errors.As(err, &refused) || refused.Status != http.StatusNotFound || len(refused.Body) == 0 {
		p.t.Errorf("an address that is not there: %v", err)
	}
}
