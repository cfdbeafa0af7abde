package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/internal/testtool"
)

// The chat that docs/worked-port.md ports from Tornado shows its visitors the same bytes before and after,
// but for the time.
func TestWorkedPort(t *testing.T) {
	python := testtool.Need(t, "python3-tornado", findPython("tornado"))
	before := chatted(t, startPort(t, python, "../examples/port/tornado/app.py"))
	after := chatted(t, startPort(t, buildExample(t, "port")))
	for i, line := range before {
		if i >= len(after) || after[i] != line {
			t.Fatalf("in Tornado\n%s\nhere\n%s", strings.Join(before[i:], "\n"), strings.Join(after[min(i, len(after)):], "\n"))
		}
	}
	if len(after) != len(before) {
		t.Errorf("here only:\n%s", strings.Join(after[len(before):], "\n"))
	}
}

// startPort runs one of the two programs until the test ends, and returns its URL.
func startPort(t *testing.T, program string, args ...string) string {
	t.Helper()
	process := exec.Command(program, append(args, "--port=0")...)
	process.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	var log bytes.Buffer
	process.Stderr = &log
	stdout, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		overdue := time.AfterFunc(patience, func() { process.Process.Kill() })
		defer overdue.Stop()
		if err := process.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := process.Wait(); err != nil || strings.Contains(log.String(), "Traceback") {
			t.Errorf("it ended with %v and logged\n%s", err, &log)
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	server, found := strings.CutPrefix(strings.TrimSpace(line), "The chat is at ")
	if !found {
		t.Fatalf("it says %q, %v", line, err)
	}
	return server
}

// chatted visits a chat and returns what there is to see.
func chatted(t *testing.T, server string) (seen []string) {
	t.Helper()
	note := func(format string, args ...any) { seen = append(seen, fmt.Sprintf(format, args...)) }
	ming, ann := newPortVisitor(t, server, note), newPortVisitor(t, server, note)

	ming.get("/")
	ming.get("/login")
	ming.logIn(" \t ")
	ming.logIn("小明")
	ming.get("/")
	ann.logIn("<b>Ann</b>")
	ann.get("/")

	// A handshake is answered before the handler has opened, so each is there when it has heard itself.
	ming.connect()
	ming.say("I am here")
	ming.hear()
	ann.connect()
	ann.say("I am here, too")
	ann.hear()
	ming.hear()

	for _, text := range []string{"hello", "你好，世界 <b>&\"'</b>", strings.Repeat("long ", 50_000)} {
		ming.say(text)
		ming.hear()
		ann.hear()
	}
	if err := ann.conn.Close(websocket.StatusGoingAway, ""); err != nil {
		t.Error(err)
	}
	ming.say("Is anybody here?")
	ming.hear()
	return seen
}

// A portVisitor is a browser that notes what it shows.
type portVisitor struct {
	t      *testing.T
	client *http.Client
	server string
	note   func(format string, args ...any)
	conn   *websocket.Conn
}

func newPortVisitor(t *testing.T, server string, note func(string, ...any)) *portVisitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: patience}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &portVisitor{t: t, client: client, server: server, note: note}
}

func (v *portVisitor) get(path string) {
	v.t.Helper()
	v.show(v.client.Get(v.server + path))
}

func (v *portVisitor) logIn(name string) {
	v.t.Helper()
	v.show(v.client.PostForm(v.server+"/login", url.Values{"name": {name}}))
}

// show notes a page. Of a redirect that is where it leads: after a POST its status is 302 in Tornado, 303 here.
func (v *portVisitor) show(response *http.Response, err error) {
	v.t.Helper()
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	page, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	if location := response.Header.Get("Location"); location != "" {
		v.note("%s leads to %s", response.Request.URL.Path, location)
		return
	}
	v.note("%s has status %d, %s:\n%s", response.Request.URL.Path, response.StatusCode,
		strings.ToLower(response.Header.Get("Content-Type")), page)
}

func (v *portVisitor) connect() {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, v.server+"/websocket", &websocket.DialOptions{HTTPClient: v.client})
	if err != nil {
		v.t.Fatal(err)
	}
	conn.SetReadLimit(-1)
	v.t.Cleanup(func() { conn.CloseNow() })
	v.conn = conn
}

func (v *portVisitor) say(text string) {
	v.t.Helper()
	if err := v.conn.Write(v.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		v.t.Fatal(err)
	}
}

var momentOfMessage = regexp.MustCompile(`-\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-`)

// hear notes the next message.
func (v *portVisitor) hear() {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), patience)
	defer cancel()
	kind, data, err := v.conn.Read(ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	v.note("%v: %s", kind, momentOfMessage.ReplaceAllString(string(data), "-TIME-"))
}
