package wsframework_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// MembersHandler takes a name from a header, as a proxy in front of the server might set it.
type MembersHandler struct {
	wsframework.BaseHandler
}

func (h *MembersHandler) GetCurrentUser() (any, error) {
	if name := h.Request().Header.Get("X-Member"); name != "" {
		return name, nil
	}
	return nil, nil // nobody
}

func (h *MembersHandler) OnMessage(wsframework.Message) error { return nil }

// A client without a user is refused before there is a connection.
func ExampleAuthenticated() {
	app := wsframework.NewApplication(wsframework.Settings{Logger: slog.New(slog.DiscardHandler)})
	app.WebSocket("/members", func() wsframework.Handler { return new(MembersHandler) }, wsframework.Authenticated())

	server := httptest.NewServer(app)
	defer server.Close()

	for _, name := range []string{"", "Ann"} {
		client, response, err := websocket.Dial(context.Background(), server.URL+"/members",
			&websocket.DialOptions{HTTPHeader: http.Header{"X-Member": {name}}})
		fmt.Println(response.Status)
		if err == nil {
			client.Close(websocket.StatusNormalClosure, "")
		}
	}
	// Output:
	// 401 Unauthorized
	// 101 Switching Protocols
}
