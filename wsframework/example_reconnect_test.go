package wsframework_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// TickerHandler sends prices of what its peer asks for, and is restarted after the first.
type TickerHandler struct {
	wsframework.BaseHandler
	price *atomic.Int64
}

func (h *TickerHandler) OnMessage(m wsframework.Message) error {
	h.WriteText(fmt.Sprint(m, " ", h.price.Add(1)))
	return h.Close(wsframework.CloseServiceRestart, "")
}

// Reconnect connects again after a loss. What the server has to know is said anew on each connection.
func ExampleReconnect() {
	var price atomic.Int64
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/prices", func() wsframework.Handler { return &TickerHandler{price: &price} })
	server := httptest.NewServer(app)
	defer server.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	received := 0
	err := wsframework.Reconnect(ctx, server.URL+"/prices", &wsframework.ReconnectOptions{
		MinDelay: 10 * time.Millisecond,
		OnState:  func(s wsframework.ReconnectState) { fmt.Println(s.Phase) },
	}, func(c *wsframework.ClientConn) error {
		if err := c.WriteText("tea"); err != nil {
			return err
		}
		for {
			m, err := c.ReadMessage(ctx)
			if err != nil {
				return err
			}
			fmt.Println(m)
			if received++; received == 2 {
				return nil // it is enough
			}
		}
	})
	fmt.Println(err)
	// Output:
	// connecting
	// open
	// tea 1
	// waiting
	// connecting
	// open
	// tea 2
	// ended
	// <nil>
}
