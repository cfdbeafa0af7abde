package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// CountdownHandler counts down and closes. The function given to Every is one of its callbacks: it
// never runs beside another, so left needs no lock.
type CountdownHandler struct {
	wsframework.BaseHandler
	left int
}

func (h *CountdownHandler) Open() error {
	h.Every(10*time.Millisecond, func() error {
		if h.left == 0 {
			return &wsframework.CloseError{Code: wsframework.CloseNormal, Reason: "lift-off"}
		}
		h.left--
		return h.WriteText(fmt.Sprint(h.left + 1))
	})
	return nil
}

func (h *CountdownHandler) OnMessage(wsframework.Message) error { return nil }

// Every calls a function in the line of callbacks, until the connection closes.
func ExampleBaseHandler_Every() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/countdown", func() wsframework.Handler { return &CountdownHandler{left: 3} })

	server := httptest.NewServer(app)
	defer server.Close()

	client, _, err := websocket.Dial(context.Background(), server.URL+"/countdown", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseNow()
	for {
		_, message, err := client.Read(context.Background())
		if err != nil {
			fmt.Println(websocket.CloseStatus(err))
			return
		}
		fmt.Println(string(message))
	}
	// Output:
	// 3
	// 2
	// 1
	// StatusNormalClosure
}
