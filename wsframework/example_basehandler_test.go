package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// EchoHandler answers each message with itself.
type EchoHandler struct {
	wsframework.BaseHandler
}

func (h *EchoHandler) OnMessage(m wsframework.Message) error {
	return h.WriteMessage(m)
}

// A handler embeds BaseHandler and has at least OnMessage.
func ExampleBaseHandler() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/echo", func() wsframework.Handler { return new(EchoHandler) })

	server := httptest.NewServer(app) // in a program: app.Run(ctx, ":8000")
	defer server.Close()

	ctx := context.Background()
	client, _, err := websocket.Dial(ctx, server.URL+"/echo", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseNow()
	if err := client.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
		log.Fatal(err)
	}
	_, reply, err := client.Read(ctx)
	fmt.Println(string(reply), err)
	// Output: hello <nil>
}
