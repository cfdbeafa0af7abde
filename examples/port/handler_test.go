package main

import (
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// The handler without a browser, a login or a port: each client is one open page.
func TestHandler(t *testing.T) {
	app, err := newApplication(newMessageHandler())
	if err != nil {
		t.Fatal(err)
	}
	ann := wstest.Dial(t, app, "/websocket", wstest.User(user{"Ann"}))
	ming := wstest.Dial(t, app, "/websocket", wstest.User(user{"小明"}))

	ming.Write("你好")
	for _, c := range []*wstest.Client{ann, ming} {
		c.ExpectMatch(`^小明-\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-说:你好$`)
	}

	ming.Close(1001, "")
	ann.Write("Is anybody here?")
	ann.ExpectMatch(`^Ann-.*-说:Is anybody here\?$`)

	wstest.DialRefused(t, app, "/websocket", 401) // without a user
}
