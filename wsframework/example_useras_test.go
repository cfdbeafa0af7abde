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

// A Player is this program's user.
type Player struct {
	Name  string
	Level int
}

type GameHandler struct {
	wsframework.BaseHandler
}

func (h *GameHandler) Open() error {
	player, ok := wsframework.UserAs[*Player](h)
	if !ok {
		return &wsframework.CloseError{Code: wsframework.ClosePolicyViolation, Reason: "players only"}
	}
	return h.WriteText(fmt.Sprintf("%s plays on level %d", player.Name, player.Level))
}

func (h *GameHandler) OnMessage(wsframework.Message) error { return nil }

// UserAs returns the current user as the type it has in this program.
func ExampleUserAs() {
	app := wsframework.NewApplication(wsframework.Settings{
		CurrentUser: func(r *http.Request) (any, error) {
			return &Player{Name: r.FormValue("name"), Level: 3}, nil
		},
	})
	app.WebSocket("/game", func() wsframework.Handler { return new(GameHandler) })

	server := httptest.NewServer(app)
	defer server.Close()

	client, _, err := websocket.Dial(context.Background(), server.URL+"/game?name=Ann", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseNow()
	_, message, err := client.Read(context.Background())
	fmt.Println(string(message), err)
	// Output: Ann plays on level 3 <nil>
}
