package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// HelloHandler greets whom it is told of.
type HelloHandler struct{ wsframework.BaseHandler }

func (h *HelloHandler) OnMessage(m wsframework.Message) error {
	if m.String() == "bye" {
		return h.Close(wsframework.CloseNormal, "see you")
	}
	return h.WriteText("hello, " + m.String())
}

// Connect opens a connection, which is then written to and read from until it ends.
func ExampleConnect() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/hello", func() wsframework.Handler { return new(HelloHandler) })
	server := httptest.NewServer(app)
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	c, err := wsframework.Connect(ctx, server.URL+"/hello", &wsframework.ConnectOptions{
		Compression: &wsframework.CompressionOptions{},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close(wsframework.CloseNormal, "")
	c.WriteText("Ada")
	c.WriteText("bye")
	for {
		m, err := c.ReadMessage(ctx)
		if err != nil {
			fmt.Println(c.CloseCode(), c.CloseReason())
			return
		}
		fmt.Println(m)
	}
	// Output:
	// hello, Ada
	// 1000 see you
}
