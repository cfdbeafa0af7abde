package wsframework_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// embedding is a middleware's writer: what it is around is found, but not taken for net/http's own.
type embedding struct{ http.ResponseWriter }

func (w embedding) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// answerTo returns the answer to a handshake as it comes over the wire, and the size of its first write.
func (s *server) answerTo(lines []string) (answer string, first int) {
	s.t.Helper()
	c, err := s.dial()
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	go c.Write([]byte(strings.Join(lines, "\r\n") + "\r\n\r\n"))
	var got []byte
	for b := make([]byte, 32<<10); !bytes.HasSuffix(got, []byte("\r\n\r\n")); {
		n, err := c.Read(b) // a pipe gives what one Write was given
		if err != nil {
			s.t.Fatalf("%q, %v", got, err)
		}
		got = append(got, b[:n]...)
		if first == 0 {
			first = n
		}
	}
	return string(got), first
}

// What the framework writes itself where it can is what net/http and coder write elsewhere.
func TestAnswersAreTheSameEverywhere(t *testing.T) {
	for name, tt := range map[string]struct {
		request []string // changes
		around  func(http.Header)
		prepare func(*probe) error
		says    string
	}{
		"nothing more": {},
		"subprotocol":  {request: []string{"+Sec-WebSocket-Protocol: a, b"}, says: "Sec-Websocket-Protocol: b"},
		"an offer of compression where there is none": {request: []string{"+Sec-WebSocket-Extensions: permessage-deflate"}},
		"cookies and a header": {says: "Set-Cookie: a=1", prepare: func(p *probe) error {
			p.SetCookie(&http.Cookie{Name: "a", Value: "1"})
			p.SetCookie(&http.Cookie{Name: "b", Value: "2"})
			return p.SetHeader("x-answer", "yes")
		}},
		"another line in a value": {says: "X-A: 1  Set-Cookie: evil=1", around: func(h http.Header) { h.Set("X-A", "1\r\nSet-Cookie: evil=1") }},
		"another line in a name":  {around: func(h http.Header) { h["X-A: 1\r\nX-B"] = []string{"2"} }},
		"an empty value":          {says: "X-A: \r\n", prepare: func(p *probe) error { return p.SetHeader("X-A", "") }},
		"a long header":           {prepare: func(p *probe) error { return p.SetHeader("X-A", strings.Repeat("a", 20000)) }},
		"a date":                  {says: "Date: once", prepare: func(p *probe) error { return p.SetHeader("Date", "once") }},
		"no date":                 {around: func(h http.Header) { h["Date"] = nil }},
		"headers of the handshake": {around: func(h http.Header) {
			h.Set("Connection", "close")
			h.Set("Upgrade", "h2c")
			h.Set("Sec-WebSocket-Accept", "x")
		}},
		"headers of a body": {around: func(h http.Header) {
			h.Set("Content-Length", "5")
			h.Set("Content-Type", "text/plain")
			h.Set("Trailer:X-A", "x")
		}},
		"a body in chunks":          {around: func(h http.Header) { h.Set("Transfer-Encoding", "chunked") }},
		"somebody else's protocols": {says: "Sec-Websocket-Protocol: c", around: func(h http.Header) { h.Set("Sec-WebSocket-Protocol", "c") }},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				// With an access log the framework itself would wrap the writer.
				settings := wsframework.Settings{AccessLogger: slog.New(slog.DiscardHandler)}
				s := n.serve(t, settings, func(app *wsframework.Application) {
					endpoint := app.Upgrade(func() wsframework.Handler {
						p := &probe{events: make(chan string, 10), done: make(chan struct{})}
						p.subproto = func(offered []string) string {
							if len(offered) > 0 {
								return offered[1]
							}
							return ""
						}
						if tt.prepare != nil {
							p.prepare = func() error { return tt.prepare(p) }
						}
						return p
					})
					app.HandleFunc("/{writer}", func(w http.ResponseWriter, r *http.Request) {
						if tt.around != nil {
							tt.around(w.Header())
						}
						if r.PathValue("writer") == "wrapped" {
							w = embedding{w}
						}
						endpoint.ServeHTTP(w, r)
					})
				})
				bare, first := s.answerTo(with(goodRequest, append(tt.request, "GET /bare HTTP/1.1")...))
				wrapped, _ := s.answerTo(with(goodRequest, append(tt.request, "GET /wrapped HTTP/1.1")...))
				lines, want := strings.Split(bare, "\r\n"), strings.Split(wrapped, "\r\n")
				if lines[0] != want[0] {
					t.Errorf("status %q, want %q", lines[0], want[0])
				}
				slices.Sort(lines)
				slices.Sort(want)
				if !slices.Equal(lines, want) {
					t.Errorf("answered\n%q, want\n%q", lines, want)
				}
				if tt.prepare == nil && tt.around == nil && tt.request == nil && bare != wrapped {
					t.Errorf("answered\n%q, want\n%q", bare, wrapped)
				}
				if !strings.Contains(bare, tt.says) || !strings.Contains(bare, "\r\nSec-Websocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n") {
					t.Errorf("answered %q without %q", bare, tt.says)
				}
				if first != len(bare) && len(bare) < 16<<10 {
					t.Errorf("wrote %d of %d bytes at first", first, len(bare))
				}
			})
		})
	}
}

// Who does not read the answer is cut when the time-out for writing is over.
func TestAnswerThatIsNotRead(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		probes := make(chan *probe, 2)
		s := n.probes(t, wsframework.Settings{WriteTimeout: time.Second}, func(p *probe) { probes <- p })
		<-probes // the one that was only looked at
		c, err := s.dial()
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, strings.Join(goodRequest, "\r\n")+"\r\n\r\n")
		began := time.Now()
		p := receive(t, probes)
		p.expect(t, "open")
		p.expect(t, "close 1006 ")
		if took := time.Since(began); took < time.Second || took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}
