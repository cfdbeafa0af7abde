package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// start runs the program until the test ends, and returns its URL.
func start(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := run(ctx, in, "127.0.0.1:0")
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
	server, found := strings.CutPrefix(strings.TrimSpace(line), "The feed is at ")
	if !found {
		t.Fatalf("it says %q", line)
	}
	return server
}

// A client is what the page's script is to the server.
type client struct {
	t    *testing.T
	conn *websocket.Conn
}

func connect(t *testing.T, server string) *client {
	t.Helper()
	conn, _, err := websocket.Dial(t.Context(), server+"/websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.CloseNow() })
	return &client{t, conn}
}

func (c *client) send(message string) {
	c.t.Helper()
	if err := c.conn.Write(c.t.Context(), websocket.MessageText, []byte(message)); err != nil {
		c.t.Fatal(err)
	}
}

// expect reads a message and looks for a part in what it carries.
func (c *client) expect(kind, part string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := c.conn.Read(ctx)
	if err != nil {
		c.t.Fatal(err)
	}
	var m struct{ Type, HTML, Text string }
	if err := json.Unmarshal(data, &m); err != nil || m.Type != kind || !strings.Contains(m.HTML+m.Text, part) {
		c.t.Errorf("got %s, want %s with %q", data, kind, part)
	}
}

func TestFeed(t *testing.T) {
	server := start(t)
	ann, bob := connect(t, server), connect(t, server)
	for _, c := range []*client{ann, bob} {
		c.send(`{"type":"post","text":"  "}`)
		c.expect("problem", "nothing to post") // now it is open
	}
	bob.send(`{"type":"post","text":"` + strings.Repeat("明", maxLength+1) + `"}`)
	bob.expect("problem", "too long")

	bob.send(`{"type":"post","text":" <b>hello</b> "}`)
	for _, c := range []*client{ann, bob} {
		c.expect("added", `<p dir="auto">&lt;b&gt;hello&lt;/b&gt;</p>`)
	}
	ann.send(`{"type":"post","text":"second"}`)
	ann.expect("added", `data-id="2"`)

	late := connect(t, server)
	late.send(`{"type":"since","id":1}`)
	late.expect("added", "second")

	response, err := http.Get(server)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	page, _ := io.ReadAll(response.Body)
	for _, part := range []string{`data-last="2"`, "&lt;b&gt;hello", "second", "/static/js/feed.js?v="} {
		if !strings.Contains(string(page), part) {
			t.Errorf("the page lacks %q:\n%s", part, page)
		}
	}
}

func TestUnknownCommand(t *testing.T) {
	c := connect(t, start(t))
	c.send(`{"type":"dance"}`)
	_, _, err := c.conn.Read(t.Context())
	if websocket.CloseStatus(err) != websocket.StatusPolicyViolation {
		t.Errorf("the connection ended with %v, want 1008", err)
	}
}

func TestOnlyTheLatestPostsAreKept(t *testing.T) {
	f := new(feed)
	for i := range maxPosts + 5 {
		f.add(fmt.Sprint("post ", i))
	}
	if n := len(f.Posts); n != maxPosts || f.Posts[0].ID != 6 || f.Posts[n-1].ID != maxPosts+5 {
		t.Errorf("%d posts from %d to %d", n, f.Posts[0].ID, f.Posts[n-1].ID)
	}
}
