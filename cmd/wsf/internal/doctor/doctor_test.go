package doctor_test

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"net/http/httputil"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// TestHealthy lets the framework itself be examined: directly, and through proxies that do what they should.
func TestHealthy(t *testing.T) {
	t.Parallel()
	compressing := wsframework.Settings{Compression: &wsframework.CompressionOptions{}}
	direct := serve(t, newApp(t, compressing))
	tests := map[string]string{
		"direct":  direct,
		"reverse": reverse(t, direct, nil, nil),
		"relay":   relay(t, direct, pass, pass),
	}
	for name, addr := range tests {
		t.Run(name, func(t *testing.T) {
			r := examine(t, "--strict", "--send=hello", "--size=100KiB", "ws://"+addr+"/websocket?a=b")
			r.only(t)
			if r.code != 0 || r.Summary["problem"] != 0 || r.Summary["ok"] < 15 {
				t.Errorf("code %d, summary %v", r.code, r.Summary)
			}
			if r.URL != "http://"+addr+"/websocket" {
				t.Errorf("URL %q", r.URL)
			}
			for check, want := range map[string]string{
				"compression/offered": "permessage-deflate",
				"handshake/version":   "refused with 426",
				"handshake/method":    "refused with 405",
				"origin/foreign":      "refused with 403",
				"origin/null":         "refused with 403",
				"messages/size":       "up to 1MiB pass",
				"messages/fragments":  "100KiB in fragments",
				"messages/close":      "1001 is answered with 1001",
			} {
				if f := r.find(t, check); f.Status != "ok" || !strings.Contains(f.Seen, want) {
					t.Errorf("%s: %s: %s", check, f.Status, f.Seen)
				}
			}
		})
	}
}

// TestBroken has a row for each way in which what stands before a server, or the server, can be wrong.
func TestBroken(t *testing.T) {
	t.Parallel()
	plain := wsframework.Settings{}
	app := func(t *testing.T) string { return serve(t, newApp(t, plain)) }
	tests := []struct {
		name   string
		serve  func(t *testing.T) (addr string)
		args   []string
		check  string
		status string
		want   string   // in what was seen, or is to be changed
		others []string // that go wrong with it
	}{
		{"Upgrade is stripped", func(t *testing.T) string {
			return reverse(t, app(t), func(r *httputil.ProxyRequest) { r.Out.Header.Del("Upgrade"); r.Out.Header.Del("Connection") }, nil)
		}, nil, "handshake/upgrade", "problem", "proxy_set_header Upgrade $http_upgrade", nil},
		{"the page comes in place of the socket", func(t *testing.T) string {
			return serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("<p>hello</p>")) }))
		}, nil, "handshake/upgrade", "problem", "the same answer as without Upgrade", nil},
		{"HTTP/1.0", func(t *testing.T) string {
			return relay(t, app(t), asHTTP10, pass)
		}, nil, "handshake/upgrade", "problem", "proxy_http_version 1.1", nil},
		{"a redirect", func(t *testing.T) string {
			return serve(t, http.RedirectHandler("/login", http.StatusFound))
		}, nil, "handshake/upgrade", "problem", `302 Found to "/login"`, nil},
		{"no such path", func(t *testing.T) string { return serve(t, http.NotFoundHandler()) },
			nil, "handshake/upgrade", "problem", "location block", nil},
		{"nothing behind the proxy", func(t *testing.T) string { return reverse(t, "127.0.0.1:1", nil, nil) },
			nil, "reach/http", "problem", "does not reach the server", []string{"handshake/upgrade"}},
		{"no login", func(t *testing.T) string { return serve(t, newApp(t, plain, wsframework.Authenticated())) },
			nil, "handshake/upgrade", "problem", "--cookie", nil},
		{"Sec-WebSocket-Accept is another's", func(t *testing.T) string {
			return reverse(t, app(t), nil, func(r *http.Response) { r.Header.Set("Sec-WebSocket-Accept", acceptOf("x")) })
		}, nil, "handshake/upgrade", "problem", "not that of our key", nil},
		{"a subprotocol that was not offered", func(t *testing.T) string {
			return reverse(t, app(t), nil, func(r *http.Response) { r.Header.Set("Sec-WebSocket-Protocol", "soap") })
		}, nil, "handshake/upgrade", "problem", `["soap"] was not offered`, nil},
		{"none of the subprotocols", app,
			[]string{"-H", "Sec-WebSocket-Protocol: a, b"}, "handshake/upgrade", "warning", "none of the subprotocols", nil},
		{"any version and method", func(t *testing.T) string { return serve(t, http.HandlerFunc(acceptAll)) },
			[]string{"--timeout=2s"}, "handshake/version", "problem", "version 99 is accepted",
			[]string{"handshake/method", "origin/foreign", "origin/null", "messages/ping", "messages/close"}},
		{"Sec-WebSocket-Version is hidden", func(t *testing.T) string {
			return reverse(t, app(t), nil, func(r *http.Response) { r.Header.Del("Sec-WebSocket-Version") })
		}, nil, "handshake/version", "warning", "without Sec-WebSocket-Version", nil},
		{"Origin is stripped", func(t *testing.T) string {
			return reverse(t, app(t), func(r *httputil.ProxyRequest) { r.Out.Header.Del("Origin") }, nil)
		}, nil, "origin/foreign", "warning", "any other site", []string{"origin/null"}},
		{"every origin is let in", func(t *testing.T) string {
			return serve(t, newApp(t, wsframework.Settings{AllowedOrigins: []string{"*"}}))
		}, nil, "origin/null", "warning", "AllowedOrigins", []string{"origin/foreign"}},
		{"Host is rewritten", func(t *testing.T) string {
			return reverse(t, app(t), func(r *httputil.ProxyRequest) { r.Out.Host = "backend:8000" }, nil)
		}, nil, "origin/own", "problem", "proxy_set_header Host $http_host", nil},
		{"compression is added", func(t *testing.T) string {
			return reverse(t, app(t), nil, func(r *http.Response) { r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate") })
		}, nil, "compression/unasked", "problem", "nobody offered", nil},
		{"gzip is added", func(t *testing.T) string {
			return reverse(t, app(t), nil, func(r *http.Response) { r.Header.Set("Content-Encoding", "gzip") })
		}, nil, "compression/unasked", "problem", "gzip off", nil},
		{"illegal parameters of compression", func(t *testing.T) string {
			return reverse(t, app(t), nil, func(r *http.Response) {
				if r.Request.Header.Get("Sec-WebSocket-Extensions") != "" {
					r.Header.Set("Sec-WebSocket-Extensions", "permessage-deflate; server_max_window_bits=99")
				}
			})
		}, nil, "compression/offered", "problem", "RFC 7692", nil},
		{"frames are held back", func(t *testing.T) string { return relay(t, app(t), pass, holdFrames(600*time.Millisecond)) },
			[]string{"--slow=500ms"}, "messages/ping", "warning", "holds frames back", nil},
		{"frames are held back for ever", func(t *testing.T) string { return relay(t, app(t), pass, holdFrames(0)) },
			[]string{"--timeout=2s"}, "messages/ping", "problem", "no answer within 2s", []string{"messages/close"}},
		{"pongs are dropped", func(t *testing.T) string { return relay(t, app(t), pass, framesWithout(10)) },
			[]string{"--timeout=2s"}, "messages/ping", "problem", "no pong", nil},
		{"long messages are cut", func(t *testing.T) string { return relay(t, app(t), cutAfter(40<<10), pass) },
			[]string{"--send=hello"}, "messages/size", "problem", "up to 16KiB pass; one of 64KiB: cut without", nil},
		{"a long message in fragments is cut", func(t *testing.T) string { return relay(t, app(t), cutAfter(40<<10), pass) },
			[]string{"--size=64KiB"}, "messages/fragments", "problem", "wsframework closes with 1009", nil},
		{"the server's limit", func(t *testing.T) string {
			return serve(t, newApp(t, wsframework.Settings{MaxMessageSize: 64 << 10}))
		}, []string{"--send=hello"}, "messages/size", "ok", "up to 64KiB pass; one of 256KiB: closed with 1009", nil},
		{"a limit below what is asked for", func(t *testing.T) string {
			return serve(t, newApp(t, wsframework.Settings{MaxMessageSize: 64 << 10}))
		}, []string{"--send=hello", "--max=100KiB"}, "messages/size", "warning", "MaxMessageSize", nil},
		{"close frames are swallowed", func(t *testing.T) string { return relay(t, app(t), pass, framesWithout(8)) },
			nil, "messages/close", "problem", "not answered: cut without a close frame", nil},
		{"idle connections are cut", func(t *testing.T) string {
			return relay(t, app(t), cutIdle(time.Second), cutIdle(time.Second))
		}, []string{"--idle=5s"}, "idle/answering", "problem", "proxy_read_timeout", nil},
		{"pings keep a connection open", func(t *testing.T) string {
			pinging := serve(t, newApp(t, wsframework.Settings{PingInterval: 100 * time.Millisecond, PingTimeout: -1}))
			return relay(t, pinging, pass, cutIdle(2*time.Second))
		}, []string{"--idle=3s"}, "idle/answering", "ok", "the server pings every", []string{"idle/silent"}},
		{"dead clients are noticed", func(t *testing.T) string {
			return serve(t, newApp(t, wsframework.Settings{PingInterval: 500 * time.Millisecond, PingTimeout: 400 * time.Millisecond}))
		}, []string{"--idle=2s"}, "idle/silent", "ok", "dead clients are noticed", nil},
		{"the 101 looks like a page", func(t *testing.T) string {
			return relay(t, app(t), pass, addToAnswer("Transfer-Encoding: chunked"))
		}, nil, "compression/unasked", "problem", "Transfer-Encoding", nil},
		{"frames are compressed", func(t *testing.T) string { return relay(t, app(t), pass, markCompressed) },
			nil, "messages/ping", "problem", "although no compression was agreed on", []string{"messages/close"}},
		{"a limit of connections", func(t *testing.T) string {
			var handshakes atomic.Int32
			return reverse(t, app(t), func(r *httputil.ProxyRequest) {
				if r.Out.Header.Get("Upgrade") != "" && handshakes.Add(1) > 8 {
					r.Out.Header.Del("Upgrade")
				}
			}, nil)
		}, []string{"--idle=1s"}, "messages/close", "problem", "limit_conn", []string{"idle/answering", "idle/silent"}},
		{"nothing listens", func(t *testing.T) string {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			return l.Addr().String()
		}, nil, "reach/tcp", "problem", "refused", nil},
		{"no HTTP", func(t *testing.T) string {
			return listen(t, func(c net.Conn) { c.Write([]byte("220 mail ESMTP\r\n")) })
		}, nil, "reach/http", "problem", "no HTTP answer", nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := examine(t, append(tt.args, "ws://"+tt.serve(t)+"/websocket")...)
			f := r.find(t, tt.check)
			if f.Status != tt.status || !strings.Contains(f.text(), tt.want) {
				t.Errorf("%s: %s: %s; want %s with %q", tt.check, f.Status, f.text(), tt.status, tt.want)
			}
			if f.Status != "ok" && len(f.Change) == 0 {
				t.Errorf("%s does not say what to change", tt.check)
			}
			r.only(t, append(tt.others, tt.check)...)
			want := 0
			if r.Summary["problem"] > 0 {
				want = 1
			}
			if r.code != want {
				t.Errorf("exit code %d with %v", r.code, r.Summary)
			}
		})
	}
}

// acceptAll opens a connection for whoever asks, and says nothing on it.
func acceptAll(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if key == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	c, buffered, err := w.(http.Hijacker).Hijack()
	if err != nil {
		return
	}
	defer c.Close()
	fmt.Fprintf(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acceptOf(key))
	p := make([]byte, 1024)
	for err == nil {
		_, err = buffered.Read(p)
	}
}

func acceptOf(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// TestWithheld tests that what follows from a problem is not called another one.
func TestWithheld(t *testing.T) {
	t.Parallel()
	r := examine(t, "ws://"+serve(t, newApp(t, wsframework.Settings{}, wsframework.Authenticated()))+"/websocket")
	for name, want := range map[string]string{
		"messages/ping":  "no handshake succeeded",
		"origin/own":     "no handshake succeeded",
		"origin/foreign": "is refused with 403", // although the user is unknown
	} {
		if f := r.find(t, name); !strings.Contains(f.Seen, want) {
			t.Errorf("%s: %s: %s", name, f.Status, f.Seen)
		}
	}
}
