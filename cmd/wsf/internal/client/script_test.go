package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestScript(t *testing.T) {
	url := newEcho(t)
	for _, test := range []struct {
		name, in string
		args     []string
		want     result // diagnostics: a part of them; "" is none at all
	}{
		{"answers", "a\nb\r\nlast", []string{"--expect", "3"}, result{out: "a\nb\nlast\n"}},
		{"slashes are text", "/close\n//\n", []string{"--expect", "2"}, result{out: "/close\n//\n"}},
		{"compression", strings.Repeat("a", 5000) + "\n", []string{"--expect", "1", "--compression"}, result{out: strings.Repeat("a", 5000) + "\n"}},
		{"bytes as they are", "bytes\n", []string{"--expect", "1"}, result{out: "\x00\x01\xff\n"}},
		{"quiet", "silence\n", []string{"--wait", "10ms"}, result{}},
		{"nothing", "", []string{"--wait", "0"}, result{}},
		{"expected in time", "a\n", []string{"--expect", "1", "--timeout", "0", "--ping", "0"}, result{out: "a\n"}},
		{"too few", "a\n", []string{"--expect", "2", "--timeout", "2s"},
			result{"a\n", "only 1 of 2 messages came; nothing more within 2s (--timeout)", exitTimeout}},
		{"closed normally", "normal\n", []string{"--wait", "1h"},
			result{diagnostics: "closed by the server: 1000 normal closure (done)"}},
		{"closed too early", "normal\n", []string{"--expect", "1"},
			result{"", "only 0 of 1 messages came; closed by the server: 1000", exitAbnormal}},
		{"closed with a code", "a\nsession\n", []string{"--wait", "1h"},
			result{"a\n", "closed by the server: 4401 session ended (the session has ended): log in again", exitAbnormal}},
		{"no text", "a\n\xff\n", []string{"--wait", "1h"}, result{"a\n", "line 2 of the input is not UTF-8", exitRefused}},
		{"what is sent", "who\n", []string{"--expect", "1", "--subprotocol", "v1", "--subprotocol", "v2", "-H", "X-A: b",
			"--cookie", "c=d", "--origin", "https://o.example", "--user", "ann:pass"},
			result{out: `["v2","b","d","https://o.example","ann","pass"]` + "\n"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := runCommand(strings.NewReader(test.in), append(test.args, url)...)
			if test.name == "no text" {
				got.out = test.want.out // the answer may come or not
			}
			told := strings.Contains(got.diagnostics, test.want.diagnostics) && (test.want.diagnostics != "" || got.diagnostics == "")
			if got.out != test.want.out || got.code != test.want.code || !told {
				t.Errorf("%v\nwant %v", got, test.want)
			}
		})
	}
}

func TestScriptJSON(t *testing.T) {
	before := time.Now()
	got := runCommand(strings.NewReader("<a>\nbytes\n"), "--json", "--expect", "2", newEcho(t))
	lines := strings.Split(got.out, "\n")
	if got.code != 0 || len(lines) != 3 {
		t.Fatalf("%v", got)
	}
	for i, want := range []struct{ kind, data string }{{"text", "<a>"}, {"binary", "AAH/"}} {
		var r struct {
			Type, Data string
			Time       time.Time
		}
		err := json.Unmarshal([]byte(lines[i]), &r)
		if err != nil || r.Type != want.kind || r.Data != want.data || r.Time.Before(before.Truncate(time.Second)) || r.Time.After(time.Now()) {
			t.Errorf("%s: %+v, error %v", lines[i], r, err)
		}
	}
}

// A long input is sent as fast as the server takes it, and nothing is lost.
func TestScriptLong(t *testing.T) {
	var in strings.Builder
	line := strings.Repeat("x", 1000)
	for range 10_000 { // twice of what may wait to be sent
		in.WriteString(line + "\n")
	}
	got := runCommand(strings.NewReader(in.String()), "--expect", "10000", newEcho(t))
	if got.code != 0 || got.out != in.String() {
		t.Errorf("%d bytes of %d, exit code %d, %s", len(got.out), in.Len(), got.code, got.diagnostics)
	}
}

// Without input it listens until it has what it expects.
func TestScriptNoInput(t *testing.T) {
	url := newRaw(t, func(conn net.Conn) {
		io.WriteString(conn, "\x81\x01a\x81\x01b")
		io.ReadFull(conn, make([]byte, 8)) // the client's close
	})
	never, feed := io.Pipe()
	defer feed.Close()
	got := runCommand(never, "-n", "--expect", "2", url, "--timeout", "20s")
	if got.out != "a\nb\n" {
		t.Errorf("%v", got)
	}
}

// A caller that ends its context at a signal does not take the time to close away.
func TestScriptContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	url := newRaw(t, func(conn net.Conn) {
		io.ReadFull(conn, make([]byte, 7)) // a message
		cancel()
		io.WriteString(conn, "\x81\x01a")
		io.ReadFull(conn, make([]byte, 8)) // the client's close
	})
	var out bytes.Buffer
	cmd := NewCommand()
	cmd.SetIn(strings.NewReader("b\n"))
	cmd.SetOut(&out)
	cmd.SetArgs([]string{url, "--expect", "1"})
	if err := cmd.ExecuteContext(ctx); err != nil || out.String() != "a\n" {
		t.Errorf("%q, error %v", out.String(), err)
	}

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	if err := cmd.ExecuteContext(canceled); codeOf(err) != exitRefused || !strings.Contains(err.Error(), "interrupted") {
		t.Errorf("error %v", err)
	}
}

func TestScriptCut(t *testing.T) {
	got := runCommand(strings.NewReader(""), "-n", newRaw(t, func(net.Conn) {}))
	if got.code != exitAbnormal || !strings.Contains(got.diagnostics, "1006 abnormal closure") {
		t.Errorf("%v", got)
	}
}

func TestScriptUnreadable(t *testing.T) {
	broken, feed := io.Pipe()
	feed.CloseWithError(errors.New("the disk is broken"))
	got := runCommand(broken, newEcho(t))
	if got.code != exitRefused || got.diagnostics != "can't read the input: the disk is broken" {
		t.Errorf("%v", got)
	}
}

func TestUsage(t *testing.T) {
	const url = "ws://127.0.0.1:1/" // nobody connects
	for _, test := range []struct {
		args  []string
		wrong string
	}{
		{nil, "one URL"},
		{[]string{url, url}, "one URL"},
		{[]string{"example.com"}, "no scheme"},
		{[]string{url, "--nonsense"}, "--nonsense"},
		{[]string{url, "--wait", "soon"}, "--wait"},
		{[]string{url, "--wait", "-1s"}, "--wait"},
		{[]string{url, "--expect", "-1"}, "--expect"},
		{[]string{url, "-H", "x"}, "--header"},
		{[]string{url, "--cookie", "x"}, "--cookie"},
		{[]string{url, "--user", "x"}, "--user"},
		{[]string{url, "--subprotocol", "a b"}, "--subprotocol"},
		{[]string{url, "--form", "a=b"}, "--login"},
		{[]string{url, "--login", "/login"}, "--form"},
		{[]string{url, "--login", "/login", "--form", "x"}, "--form"},
		{[]string{url, "--login", "login", "--form", "a=b"}, "/login"},
	} {
		if got := runCommand(nil, test.args...); got.code != exitUsage || !strings.Contains(got.diagnostics, test.wrong) {
			t.Errorf("%q: %v", test.args, got)
		}
	}
}

func TestRefused(t *testing.T) {
	answer := func(status int, header, value, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set(header, value)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for _, test := range []struct {
		name    string
		handler http.HandlerFunc
		want    []string
	}{
		{"401", answer(401, "Content-Type", "text/plain", "Log in first.\x1b[2J"), []string{"401 Unauthorized: Log in first.", `\x1b[2J`, "--login URL", "--user"}},
		{"403", answer(403, "X", "", ""), []string{"403 Forbidden", "--origin"}},
		{"404", answer(404, "X", "", ""), []string{"404 Not Found\nNo socket is at this path"}},
		{"page", answer(200, "Content-Type", "text/html", "<title>Home</title>"), []string{"200 OK: Home", "no socket"}},
		{"426", answer(426, "Upgrade", "websocket", ""), []string{"426 Upgrade Required", "proxy"}},
		{"429", answer(429, "Retry-After", "7", ""), []string{"429", "Retry-After: 7"}},
		{"503", answer(503, "X", "", ""), []string{"503", "Try again later."}},
		{"502", answer(502, "X", "", ""), []string{"502", "behind it"}},
		{"500", answer(500, "Content-Type", "application/json", "{\n \"error\": 1 }"), []string{`500 Internal Server Error: { "error": 1 }`}},
		{"to the login", answer(302, "Location", "/login?next=%2F", ""), []string{"--login /login?next=%2F --form"}},
		{"redirect", answer(308, "Location", "/v2/ws", ""), []string{"connect to /v2/ws instead"}},
		{"101", answer(101, "Upgrade", "h2c", ""), []string{"no handshake of a WebSocket"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := httptest.NewServer(test.handler)
			defer server.Close()
			got := runCommand(strings.NewReader(""), server.URL)
			for _, part := range test.want {
				if got.code != exitRefused || !strings.Contains(got.diagnostics, part) {
					t.Errorf("%v\nwant %q in it", got, part)
				}
			}
		})
	}
}

func TestNetwork(t *testing.T) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	free.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nobody accepts
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	plain, secure := httptest.NewServer(hello), httptest.NewUnstartedServer(hello)
	secure.Config.ErrorLog = quietLog()
	secure.StartTLS()
	defer plain.Close()
	defer secure.Close()
	plainAddress, secureAddress := plain.Listener.Addr().String(), secure.Listener.Addr().String()
	for _, test := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{free.Addr().String()}, exitRefused, "nothing listens there"},
		{[]string{silent.Addr().String(), "--timeout", "100ms"}, exitTimeout, "within 100ms (--timeout)"},
		{[]string{silent.Addr().String(), "--timeout", "100ms", "--login", "/", "--form", "a=b"}, exitTimeout, "within 100ms (--timeout)"},
		{[]string{"wss://" + plainAddress}, exitRefused, "speaks no TLS: write ws://"},
		{[]string{"wss://" + plainAddress, "--login", "/", "--form", "a=b"}, exitRefused, "speaks no TLS: write http://"},
		{[]string{"wss://" + secureAddress}, exitRefused, "--insecure takes any certificate"},
		{[]string{"wss://" + secureAddress, "--insecure"}, exitRefused, "200 OK: hello"},
		{[]string{"ws://" + secureAddress}, exitRefused, "400 Bad Request: Client sent an HTTP request to an HTTPS server."},
	} {
		got := runCommand(strings.NewReader(""), test.args...)
		if got.code != test.code || !strings.Contains(got.diagnostics, test.want) {
			t.Errorf("%q: %v\nwant %q", test.args, got, test.want)
		}
	}
}
