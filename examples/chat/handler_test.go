package main

import (
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// The handler without a browser, a login or a port: each client is one open page.
func TestHandler(t *testing.T) {
	app := newChat(wstest.NewSessions())
	ann := wstest.Dial(t, app, "/websocket", wstest.User("ann"))
	ann.ExpectJSON(notice{Type: "joined", Name: "ann", Online: []string{"ann"}})
	bob := wstest.Dial(t, app, "/websocket", wstest.User("bob"))
	room := wstest.Clients{ann, bob}
	for _, c := range room {
		c.ExpectJSON(notice{Type: "joined", Name: "bob", Online: []string{"ann", "bob"}})
	}

	bob.Write("hello")
	for _, c := range room {
		c.ExpectMatch(`^bob-\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-说:hello$`)
	}
	bob.Write(" ")
	bob.ExpectJSON(notice{Type: "error", Text: "Write something first."})

	bob.Close(1000, "bye")
	ann.ExpectJSON(notice{Type: "left", Name: "bob", Online: []string{"ann"}})
}

func TestStrangers(t *testing.T) {
	wstest.DialRefused(t, newChat(wstest.NewSessions()), "/websocket", 401)
}
