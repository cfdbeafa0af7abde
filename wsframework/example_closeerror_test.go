package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// PoliteHandler ends the connection when it is told to, and reports how a connection ended.
type PoliteHandler struct {
	wsframework.BaseHandler
	ended chan<- string
}

func (h *PoliteHandler) OnMessage(m wsframework.Message) error {
	if m.String() == "goodbye" {
		return &wsframework.CloseError{Code: 4000, Reason: "goodbye to you"}
	}
	return nil
}

func (h *PoliteHandler) OnClose() {
	var how *wsframework.CloseError
	if errors.As(context.Cause(h.Context()), &how) {
		h.ended <- how.Error()
	}
}

// A callback that returns a CloseError closes the connection with its code and reason. In OnClose, and
// wherever Context is watched, the context's cause is one.
func ExampleCloseError() {
	ended := make(chan string, 1)
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/polite", func() wsframework.Handler { return &PoliteHandler{ended: ended} })

	server := httptest.NewServer(app)
	defer server.Close()

	ctx := context.Background()
	for _, act := range []func(*websocket.Conn){
		func(client *websocket.Conn) { client.Write(ctx, websocket.MessageText, []byte("goodbye")) },
		func(client *websocket.Conn) { client.Close(4001, "I have to go") },
	} {
		client, _, err := websocket.Dial(ctx, server.URL+"/polite", nil)
		if err != nil {
			log.Fatal(err)
		}
		act(client)
		client.Read(ctx) // answers the close frame
		fmt.Println(<-ended)
	}
	// Output:
	// wsframework: closed with 4000 (goodbye to you)
	// wsframework: closed by the peer with 4001 (I have to go)
}
