package main

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func newChat(t *testing.T, newHandler func() wsframework.Handler) *wsframework.Application {
	t.Helper()
	app, err := newApplication(newHandler)
	if err != nil {
		t.Fatal(err)
	}
	return app
}

var moment = regexp.MustCompile(`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d`)

// expect reads a message whose time is "TIME" in want.
func expect(t *testing.T, c *wstest.Client, want string) {
	t.Helper()
	m := c.Receive()
	if got := moment.ReplaceAllString(m.String(), "TIME"); got != want || !m.IsText() {
		t.Errorf("got %q, want %q", got, want)
	}
}

// Each step of the port is the same chat.
func TestChat(t *testing.T) {
	for name, newHandler := range map[string]func() func() wsframework.Handler{
		"map":   newMapHandler,
		"set":   newMessageHandler,
		"group": newGroupHandler,
	} {
		t.Run(name, func(t *testing.T) {
			app := newChat(t, newHandler())
			ming := enter(t, app, "小明", "小明")
			ann := enter(t, app, "<Ann>", "&lt;Ann&gt;")
			expect(t, ming, "<Ann>-TIME-说:I am here")
			ming.Write("<b>你好</b>")
			for _, c := range []*wstest.Client{ming, ann} {
				expect(t, c, "小明-TIME-说:<b>你好</b>")
			}
			ann.Close(wsframework.CloseGoingAway, "")
			ming.Write("alone")
			expect(t, ming, "小明-TIME-说:alone")
		})
	}
}

// enter logs in and connects. What the page greets a visitor with is escaped, what it says over the socket is not.
func enter(t *testing.T, app *wsframework.Application, name, escaped string) *wstest.Client {
	t.Helper()
	b := wstest.NewBrowser(t, app)
	b.PostForm("/login", url.Values{"name": {name}}).ExpectRedirect("/")
	b.Get("/").ExpectStatus(http.StatusOK).ExpectContains("<h1>Hello, " + escaped + "</h1>")
	c := b.Dial("/websocket")
	c.Write("I am here")
	expect(t, c, name+"-TIME-说:I am here")
	return c
}

func TestLogin(t *testing.T) {
	app := newChat(t, newMessageHandler())
	b := wstest.NewBrowser(t, app)
	b.PostForm("/login", url.Values{"name": {"  "}}).
		ExpectStatus(http.StatusOK).ExpectContains(`<p role="alert">Type a name.</p>`)
	wstest.DialRefused(t, app, "/websocket", http.StatusUnauthorized)
	b.Get("/").ExpectRedirect("/login?next=%2F")
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
