package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// RoomHandler is a chat with rooms. Leaving a room when the connection closes needs no code.
type RoomHandler struct {
	wsframework.BaseHandler
}

func (h *RoomHandler) Open() error {
	if err := h.Join(h.PathValue("room")); err != nil {
		return err
	}
	return h.WriteText("welcome")
}

func (h *RoomHandler) OnMessage(m wsframework.Message) error {
	return h.Broadcast(h.PathValue("room"), h.Argument("name")+": "+m.String())
}

// A broadcast reaches all members of a group, the sender included.
func ExampleBaseHandler_Broadcast() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/rooms/{room}", func() wsframework.Handler { return new(RoomHandler) })

	server := httptest.NewServer(app)
	defer server.Close()

	ctx := context.Background()
	enter := func(name string) *websocket.Conn {
		client, _, err := websocket.Dial(ctx, server.URL+"/rooms/tea?name="+name, nil)
		if err != nil {
			log.Fatal(err)
		}
		client.Read(ctx) // the welcome: the client is a member now
		return client
	}
	ann, bob := enter("Ann"), enter("Bob")
	defer ann.CloseNow()
	defer bob.CloseNow()

	ann.Write(ctx, websocket.MessageText, []byte("milk or sugar?"))
	for _, client := range []*websocket.Conn{ann, bob} {
		_, message, err := client.Read(ctx)
		fmt.Println(string(message), err)
	}
	// Output:
	// Ann: milk or sugar? <nil>
	// Ann: milk or sugar? <nil>
}
