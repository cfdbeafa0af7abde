package wsframework_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// The answers that are no handshake that was asked for.
func TestClientRefused(t *testing.T) {
	right := func(p *rawPeer) string { return p.answer() }
	without := func(line string) func(*rawPeer) string {
		return func(p *rawPeer) string { return strings.Replace(right(p), line, "", 1) }
	}
	plus := func(lines ...string) func(*rawPeer) string {
		return func(p *rawPeer) string { return p.answer(lines...) }
	}
	tests := []struct {
		name   string
		answer func(*rawPeer) string
		status int
		text   string // of the error
	}{
		{"403", func(*rawPeer) string { return "HTTP/1.1 403 Forbidden\r\nContent-Length: 3\r\nX-Why: so\r\n\r\nno\n" },
			403, `refused the handshake with 403 Forbidden: "no\n"`},
		{"200", func(*rawPeer) string { return "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n" },
			200, `refused the handshake with 200 OK`},
		{"a redirect", func(*rawPeer) string {
			return "HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\nContent-Length: 0\r\n\r\n"
		}, 302, `connect to "ws://elsewhere/" in its place`},
		{"a long body", func(*rawPeer) string {
			return "HTTP/1.1 500 Oh\r\nContent-Length: 5000\r\n\r\n" + strings.Repeat("a", 5000)
		}, 500, "500 Internal Server Error"},
		{"101 without Upgrade", without("Upgrade: websocket\r\n"), 101, "Upgrade"},
		{"101 without Connection", without("Connection: Upgrade\r\n"), 101, "Connection"},
		{"no accept", func(p *rawPeer) string { return strings.Replace(right(p), "Accept: ", "Else: ", 1) }, 101, "Sec-WebSocket-Accept"},
		{"a wrong accept", func(p *rawPeer) string { return strings.Replace(right(p), "Accept: ", "Accept: x", 1) }, 101, "Sec-WebSocket-Accept"},
		{"a subprotocol not offered", plus("Sec-WebSocket-Protocol: v3"), 101, `"v3"`},
		{"a subprotocol in capitals", plus("Sec-WebSocket-Protocol: V1"), 101, `"V1"`},
		{"two subprotocols", plus("Sec-WebSocket-Protocol: v1", "Sec-WebSocket-Protocol: v2"), 101, "2 headers"},
		{"an extension not offered", plus("Sec-WebSocket-Extensions: permessage-deflate"), 101, "extensions"},
		{"an unknown extension", plus("Sec-WebSocket-Extensions: x-webkit-deflate-frame"), 101, "extensions"},
	}
	everywhere(t, func(t *testing.T, n network) {
		for _, test := range tests {
			s := n.rawServe(t, func(p *rawPeer) {
				io.WriteString(p.c, test.answer(p))
				p.drain()
			})
			options := s.dialer()
			options.Subprotocols = []string{"v1", "v2"}
			// The client hangs up on an answer that is wrong, at once.
			c, err := wsframework.Connect(t.Context(), "ws://example.com/", options)
			var refused *wsframework.HandshakeError
			if c != nil || !errors.As(err, &refused) {
				t.Fatalf("%s: Connect: %v, %v", test.name, c, err)
			}
			if refused.Status != test.status || !strings.Contains(err.Error(), test.text) || refused.Header == nil {
				t.Errorf("%s: the error is %d %v", test.name, refused.Status, err)
			}
			if test.name == "403" && (string(refused.Body) != "no\n" || refused.Header.Get("X-Why") != "so") {
				t.Errorf("the error has the header %v and the body %q", refused.Header, refused.Body)
			}
			if len(refused.Body) > 1024 {
				t.Errorf("%s: the error has %d bytes of the body", test.name, len(refused.Body))
			}
			options.HTTPClient.CloseIdleConnections()
		}
	})
}

// What never becomes an answer.
func TestClientNotConnected(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		for name, test := range map[string]struct {
			answer string
			within time.Duration
			text   string
		}{
			"silence":         {"", 20 * time.Second, "no answer within 20s (ConnectOptions.ConnectTimeout)"},
			"half an answer":  {"HTTP/1.1 101 Switching", 20 * time.Second, "no answer within 20s"},
			"no HTTP":         {"SSH-2.0\r\n\r\n", 0, "malformed HTTP"},
			"an endless head": {"HTTP/1.1 101 Switching Protocols\r\nX: " + strings.Repeat("a", 11<<20), 0, "header"},
		} {
			s := n.rawServe(t, func(p *rawPeer) {
				io.WriteString(p.c, test.answer)
				p.drain()
			})
			began := time.Now()
			_, err := wsframework.Connect(t.Context(), "ws://example.com/path?token=secret", s.dialer())
			if err == nil || !strings.Contains(err.Error(), test.text) || strings.Contains(err.Error(), "secret") ||
				!strings.HasPrefix(err.Error(), "wsframework: connect to ws://example.com/path: ") {
				t.Errorf("%s: %v", name, err)
			}
			if took := time.Since(began); took != test.within {
				t.Errorf("%s: took %v", name, took)
			}
		}
		s := n.rawServe(t, func(p *rawPeer) { p.drain() })
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := wsframework.Connect(ctx, "ws://example.com/", s.dialer()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that ends: %v", err)
		}
		if _, err := wsframework.Connect(ctx, "ws://example.com/", dialWith(t, func() (net.Conn, error) { return nil, net.ErrClosed })); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a context that has ended: %v", err)
		}
		if _, err := wsframework.Connect(t.Context(), "ws://example.com/", dialWith(t, func() (net.Conn, error) { return nil, net.ErrClosed })); !errors.Is(err, net.ErrClosed) {
			t.Errorf("no network: %v", err)
		}
	})
}

func TestConnectOptionsAreChecked(t *testing.T) {
	with := func(name string) *wsframework.ConnectOptions {
		return &wsframework.ConnectOptions{Header: http.Header{name: {"x"}}}
	}
	for _, test := range []struct {
		url     string
		options *wsframework.ConnectOptions
		text    string
	}{
		{"", nil, `"" is no URL of a WebSocket`},
		{"/ws", nil, "write ws://host/path"},
		{"ftp://user:secret@host/", nil, `"ftp://host/" is no URL`},
		{"ws://a b/", nil, "malformed"},
		{"ws://host/", with("upgrade"), "Header has a Upgrade"},
		{"ws://host/", with("Sec-WebSocket-Protocol"), "use Subprotocols"},
		{"ws://host/", with("sec-websocket-extensions"), "use Compression"},
		{"ws://host/", &wsframework.ConnectOptions{TLS: new(tls.Config), HTTPClient: new(http.Client)}, "both TLS and HTTPClient"},
	} {
		_, err := wsframework.Connect(t.Context(), test.url, test.options)
		if err == nil || !strings.Contains(err.Error(), test.text) {
			t.Errorf("%s %v: %v, want %s", test.url, test.options, err, test.text)
		}
		if !wsframework.IsFinal(err) {
			t.Errorf("%v: connecting again would make no sense", err)
		}
	}
}

// What the server gets to see.
func TestClientHandshake(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		requests := make(chan *http.Request, 2)
		s := n.route(t, wsframework.Settings{}, func() wsframework.Handler {
			p := &probe{events: make(chan string, 10), done: make(chan struct{})}
			p.prepare = func() error {
				p.SetHeader("X-Answer", "42")
				p.SetCookie(&http.Cookie{Name: "from", Value: "server"})
				return nil
			}
			p.subproto = func(offered []string) string { requests <- p.Request(); return offered[1] }
			p.origin = func(string) bool { return true }
			return p
		})
		options := s.dialer()
		options.Header = http.Header{"Host": {"tea.example:81"}, "Origin": {"https://page.example"}, "authorization": {"me"}}
		options.Cookies = []*http.Cookie{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
		options.Subprotocols = []string{"v1", "v2"}
		jar, _ := cookiejar.New(nil)
		options.HTTPClient.Jar = jar
		for _, cookies := range []string{"a=1; b=2", "a=1; b=2; from=server"} {
			c := s.client(options)
			r := receive(t, requests)
			got := fmt.Sprint(r.Host, r.Header["Origin"], r.Header["Authorization"], r.Header["Cookie"], r.Header["Sec-Websocket-Protocol"])
			want := "tea.example:81[https://page.example] [me] [" + cookies + "] [v1,v2]"
			if got != want {
				t.Errorf("the request has %s, want %s", got, want)
			}
			if c.Subprotocol() != "v2" || c.Header().Get("X-Answer") != "42" {
				t.Errorf("the answer has the subprotocol %q and the header %v", c.Subprotocol(), c.Header())
			}
		}
	})
}

// Without an HTTP client of the caller's: TLS, the schemes, and a user in the URL.
func TestClientOverTLS(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	app.WebSocket("/ws", func() wsframework.Handler {
		p := &probe{events: make(chan string, 10), done: make(chan struct{})}
		p.open = func() error {
			user, _, _ := p.Request().BasicAuth()
			return p.WriteText(p.Request().Proto + " " + user)
		}
		return p
	})
	plain, secure := httptest.NewServer(app), httptest.NewUnstartedServer(app)
	defer plain.Close()
	secure.EnableHTTP2 = true
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	defer secure.Close()
	defer app.Shutdown(context.Background())
	roots := x509.NewCertPool()
	roots.AddCert(secure.Certificate())
	trusting := &wsframework.ConnectOptions{TLS: &tls.Config{RootCAs: roots}}
	for base, options := range map[string]*wsframework.ConnectOptions{plain.URL: nil, secure.URL: trusting} {
		for _, address := range []string{base, strings.Replace(base, "http", "ws", 1)} {
			address = strings.Replace(address, "://", "://me:secret@", 1) + "/ws"
			c, err := wsframework.Connect(t.Context(), address, options)
			if err != nil {
				t.Fatal(err)
			}
			wantMessage(t, c, wsframework.TextMessage, "HTTP/1.1 me")
			endClient(t, c)
		}
	}
	_, err := wsframework.Connect(t.Context(), secure.URL+"/ws", nil)
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) {
		t.Errorf("with a certificate of nobody's: %v", err)
	}
}

// A round-tripper that is not net/http's own, and whose bodies are all that there is.
type rewrapping struct{ http.RoundTripper }

func (r rewrapping) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := r.RoundTripper.RoundTrip(request)
	if err == nil && response.StatusCode == 101 {
		response.Body = struct{ io.ReadWriteCloser }{response.Body.(io.ReadWriteCloser)}
	}
	return response, err
}

func TestClientThroughAnotherTransport(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s := n.probes(t, wsframework.Settings{}, echoing)
		options := s.dialer()
		options.HTTPClient.Transport = rewrapping{options.HTTPClient.Transport}
		c := s.client(options)
		for _, text := range []string{"a", strings.Repeat("b", 200_000), "c"} {
			c.WriteText(text)
			wantMessage(t, c, wsframework.TextMessage, text)
		}
		c.WriteText(string(slices.Repeat([]byte("d"), 10)))
		c.Close(4000, "")
		wantEnd(t, c, 4000, "")
	})
}
