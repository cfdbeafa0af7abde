package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gotornado/gotornado/wsframework"
)

// start runs the program until the test ends, and returns its URL.
func start(t *testing.T, newHandler func() wsframework.Handler) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, in, 0, newHandler)
		in.CloseWithError(fmt.Errorf("ended: %v", err))
		ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	server, found := strings.CutPrefix(strings.TrimSpace(line), "The chat is at ")
	if !found {
		t.Fatalf("it says %q", line)
	}
	return server
}

// A visitor is a browser with one page open.
type visitor struct {
	t    *testing.T
	http *http.Client
	url  string
	conn *websocket.Conn
}

func visit(t *testing.T, server string) *visitor {
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t: t, http: &http.Client{Jar: jar, Timeout: 10 * time.Second}, url: server}
}

// logIn posts a name, and returns the path of where that leads and the page there.
func (v *visitor) logIn(name string) (path, page string) {
	v.t.Helper()
	response, err := v.http.PostForm(v.url+"/login", url.Values{"name": {name}})
	if err != nil {
		v.t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	return response.Request.URL.Path, string(body)
}

func (v *visitor) connect() {
	v.t.Helper()
	conn, _, err := websocket.Dial(v.t.Context(), v.url+"/websocket", &websocket.DialOptions{HTTPClient: v.http})
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { conn.CloseNow() })
	v.conn = conn
}

func (v *visitor) say(text string) {
	v.t.Helper()
	if err := v.conn.Write(v.t.Context(), websocket.MessageText, []byte(text)); err != nil {
		v.t.Fatal(err)
	}
}

// expect reads a message whose time is "TIME" in want.
func (v *visitor) expect(want string) {
	v.t.Helper()
	ctx, cancel := context.WithTimeout(v.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := v.conn.Read(ctx)
	if err != nil {
		v.t.Fatal(err)
	}
	if got := moment.ReplaceAllString(string(data), "TIME"); got != want {
		v.t.Errorf("got %q, want %q", got, want)
	}
}

var moment = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// Each step of the port is the same chat.
func TestChat(t *testing.T) {
	for name, newHandler := range map[string]func() func() wsframework.Handler{
		"map":   newMapHandler,
		"set":   newMessageHandler,
		"group": newGroupHandler,
	} {
		t.Run(name, func(t *testing.T) {
			server := start(t, newHandler())
			ming := enter(t, server, "小明", "小明")
			ann := enter(t, server, "<Ann>", "&lt;Ann&gt;")
			ming.expect("<Ann>-TIME-说:I am here")
			ming.say("<b>你好</b>")
			for _, v := range []*visitor{ming, ann} {
				v.expect("小明-TIME-说:<b>你好</b>")
			}
			if err := ann.conn.Close(websocket.StatusGoingAway, ""); err != nil {
				t.Error(err)
			}
			ming.say("alone")
			ming.expect("小明-TIME-说:alone")
		})
	}
}

// enter logs in and connects. What the page greets a visitor with is escaped, what it says over the socket is not.
func enter(t *testing.T, server, name, escaped string) *visitor {
	t.Helper()
	v := visit(t, server)
	path, page := v.logIn(name)
	if greeting := "<h1>Hello, " + escaped + "</h1>"; path != "/" || !strings.Contains(page, greeting) {
		t.Errorf("a login leads to %s and the page\n%s\nwithout %q", path, page, greeting)
	}
	v.connect()
	v.say("I am here")
	v.expect(name + "-TIME-说:I am here")
	return v
}

func TestLogin(t *testing.T) {
	server := start(t, newMessageHandler())
	v := visit(t, server)
	if path, page := v.logIn("  "); path != "/login" || !strings.Contains(page, `<p role="alert">Type a name.</p>`) {
		t.Errorf("a login without a name leads to %s and the page\n%s", path, page)
	}
	_, response, err := websocket.Dial(t.Context(), server+"/websocket", nil)
	if err == nil || response == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a socket without a login: %v, %v", response, err)
	}
	response, err = v.http.Get(server)
	if err != nil {
		t.Fatal(err)
	}
	response.Body.Close()
	if got := response.Request.URL.RequestURI(); got != "/login?next=%2F" {
		t.Errorf("the chat without a login leads to %s", got)
	}
}

// What docs/worked-port.md shows is what runs.
func TestWorkedPort(t *testing.T) {
	doc, err := os.ReadFile("../../docs/worked-port.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources []string
	for _, pattern := range []string{"*.go", "templates/*", "tornado/*.py", "tornado/templates/*"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(names), err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sources = append(sources, string(source))
		}
	}
	blocks := regexp.MustCompile("(?s)```(?:go|python|html)\n(.*?)```").FindAllStringSubmatch(string(doc), -1)
	if len(blocks) < 8 {
		t.Errorf("there are only %d blocks of code", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(strings.Join(sources, "\x00"), block[1]) {
			t.Errorf("this is in no file:\n%s", block[1])
		}
	}
}
