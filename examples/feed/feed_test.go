package main

import (
	"fmt"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// expectAdded waits for a post, and looks for a part in its HTML.
func expectAdded(t *testing.T, c *wstest.Client, part string) {
	t.Helper()
	var m added
	if c.ReceiveJSON(&m); m.Type != "added" || !strings.Contains(m.HTML, part) {
		t.Errorf("got %+v, want what is added with %q", m, part)
	}
}

func TestFeed(t *testing.T) {
	app := newApplication()
	ann, bob := wstest.Dial(t, app, "/websocket"), wstest.Dial(t, app, "/websocket")
	for _, c := range []*wstest.Client{ann, bob} {
		c.Write(`{"type":"post","text":"  "}`)
		c.ExpectJSON(problem{"problem", "There is nothing to post."})
	}
	bob.Write(`{"type":"post","text":"` + strings.Repeat("明", maxLength+1) + `"}`)
	bob.ExpectJSON(problem{"problem", "This post is too long."})

	bob.Write(`{"type":"post","text":" <b>hello</b> "}`)
	for _, c := range []*wstest.Client{ann, bob} {
		expectAdded(t, c, `<p dir="auto">&lt;b&gt;hello&lt;/b&gt;</p>`)
	}
	ann.Write(`{"type":"post","text":"second"}`)
	expectAdded(t, ann, `data-id="2"`)

	late := wstest.Dial(t, app, "/websocket")
	late.Write(`{"type":"since","id":1}`)
	expectAdded(t, late, "second")

	wstest.NewBrowser(t, app).Get("/").
		ExpectContains(`data-last="2"`, "&lt;b&gt;hello", "second", "/static/js/feed.js?v=")
}

func TestUnknownCommand(t *testing.T) {
	c := wstest.Dial(t, newApplication(), "/websocket")
	c.Write(`{"type":"dance"}`)
	c.ExpectClose(wsframework.ClosePolicyViolation)
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
