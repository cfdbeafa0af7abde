package main

import (
	"slices"
	"strings"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

const (
	maxPosts  = 200
	maxLength = 2000 // of a post, in characters
)

// A feed is the latest posts and the sockets that show them. Pages and callbacks run one at a time, so it
// needs no lock.
type feed struct {
	Posts   []post // the oldest first
	Last    int    // the ID of the newest one
	readers wsframework.Set[*feedHandler]
}

type post struct {
	ID   int
	At   time.Time
	Text string
}

// add keeps a post, and forgets the oldest one when there are too many.
func (f *feed) add(text string) post {
	f.Last++
	p := post{ID: f.Last, At: time.Now(), Text: text}
	if f.Posts = append(f.Posts, p); len(f.Posts) > maxPosts {
		f.Posts = slices.Delete(f.Posts, 0, 1)
	}
	return p
}

// A feedHandler serves one open page.
type feedHandler struct {
	wsframework.BaseHandler
	feed *feed
}

// commands are the types of messages that a page sends.
var commands = wsframework.NewDispatcher("type",
	wsframework.On("post", (*feedHandler).onPost),
	wsframework.On("since", (*feedHandler).onSince),
)

// What goes to the page.
type (
	added struct {
		Type string `json:"type"`
		HTML string `json:"html"`
	}
	problem struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
)

func (h *feedHandler) Open() error { return h.feed.readers.Add(h) }

func (h *feedHandler) OnMessage(m wsframework.Message) error { return commands.Dispatch(h, m) }

// onPost shows everyone what somebody wrote.
func (h *feedHandler) onPost(in struct{ Text string }) error {
	text := strings.TrimSpace(in.Text)
	switch n := len([]rune(text)); {
	case n == 0:
		return h.WriteJSON(problem{"problem", "There is nothing to post."})
	case n > maxLength:
		return h.WriteJSON(problem{"problem", "This post is too long."})
	}
	html, err := h.RenderString("post.html", h.feed.add(text))
	if err != nil {
		return err
	}
	for reader := range h.feed.readers.All() {
		reader.WriteJSON(added{"added", html}) // an error concerns that reader alone
	}
	return nil
}

// onSince sends what came while the page was not connected: since it was loaded, or since it lost its
// connection.
func (h *feedHandler) onSince(in struct{ ID int }) error {
	for _, p := range h.feed.Posts {
		if p.ID <= in.ID {
			continue
		}
		html, err := h.RenderString("post.html", p)
		if err != nil {
			return err
		}
		if err := h.WriteJSON(added{"added", html}); err != nil {
			return err
		}
	}
	return nil
}
