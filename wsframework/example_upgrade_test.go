package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

type ClockHandler struct {
	wsframework.BaseHandler
}

func (h *ClockHandler) OnMessage(wsframework.Message) error {
	return h.WriteText("noon in " + h.PathValue("city"))
}

// Upgrade makes a bare http.Handler, for a program that has a router of its own: here that of net/http.
func ExampleApplication_Upgrade() {
	app := wsframework.NewApplication(wsframework.Settings{})
	mux := http.NewServeMux()
	mux.Handle("GET /clock/{city}", app.Upgrade(func() wsframework.Handler { return new(ClockHandler) }))

	server := httptest.NewServer(mux)
	defer server.Close()
	// The program ends the connections with app.Shutdown, before or after its own server's.
	defer app.Shutdown(context.Background())

	ctx := context.Background()
	client, _, err := websocket.Dial(ctx, server.URL+"/clock/Paris", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseNow()
	client.Write(ctx, websocket.MessageText, []byte("what time is it?"))
	_, message, err := client.Read(ctx)
	fmt.Println(string(message), err)
	// Output: noon in Paris <nil>
}
