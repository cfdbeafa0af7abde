package main

import (
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// The handler without a browser or a port: each client is one open page.
func TestHandler(t *testing.T) {
	app := newApplication()
	readers := wstest.Crowd(t, app, "/websocket", 3, nil)
	readers[0].Write(`{"type":"post","text":" <b>hello</b> "}`)
	if message := readers.ExpectSame(1)[0]; !strings.Contains(message, "hello") {
		t.Errorf("a post is shown as %s", message)
	}
	readers[1].Write(`{"type":"post","text":"  "}`)
	readers[1].ExpectJSON(problem{"problem", "There is nothing to post."})

	late := wstest.Dial(t, app, "/websocket")
	late.Write(`{"type":"since","id":0}`)
	var got added
	if late.ReceiveJSON(&got); !strings.Contains(got.HTML, `<p dir="auto">&lt;b&gt;hello&lt;/b&gt;</p>`) {
		t.Errorf("whoever comes later sees %s", got.HTML)
	}
}
