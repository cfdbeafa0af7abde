package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// GreetHandler is made with what its route gives it.
type GreetHandler struct {
	wsframework.BaseHandler
	greeting string
}

func (h *GreetHandler) Open() error {
	return h.WriteText(h.greeting + " " + h.PathValue("name") + h.Argument("mark"))
}

func (h *GreetHandler) OnMessage(wsframework.Message) error { return nil }

// What Tornado passes to initialize is what the factory captures; wildcards of the pattern and query
// parameters are read with PathValue and Argument.
func ExampleApplication_WebSocket() {
	app := wsframework.NewApplication(wsframework.Settings{})
	for path, greeting := range map[string]string{"/en/{name}": "Hello", "/de/{name}": "Hallo"} {
		app.WebSocket(path, func() wsframework.Handler { return &GreetHandler{greeting: greeting} })
	}

	server := httptest.NewServer(app)
	defer server.Close()

	for _, path := range []string{"/en/Ann?mark=!", "/de/Bob"} {
		client, _, err := websocket.Dial(context.Background(), server.URL+path, nil)
		if err != nil {
			log.Fatal(err)
		}
		_, greeting, err := client.Read(context.Background())
		fmt.Println(string(greeting), err)
		client.Close(websocket.StatusNormalClosure, "")
	}
	// Output:
	// Hello Ann! <nil>
	// Hallo Bob <nil>
}
