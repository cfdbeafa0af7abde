package wsframework_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/gotornado/gotornado/wsframework"
)

type RoomPage struct {
	wsframework.RequestHandler
}

func (h *RoomPage) Get() error {
	_, err := fmt.Fprintf(h, "room %s for %s", h.PathValue("room"), h.CurrentUser())
	return err
}

// Routes under a prefix share its path and its options.
func ExampleApplication_Under() {
	app := wsframework.NewApplication(wsframework.Settings{
		AccessLogger: slog.New(slog.DiscardHandler),
		CurrentUser: func(r *http.Request) (any, error) {
			if name := r.Header.Get("X-Member"); name != "" {
				return name, nil
			}
			return nil, nil // nobody
		},
	})
	members := app.Under("/members", wsframework.Authenticated())
	members.Page("/rooms/{room}", func() wsframework.Page { return new(RoomPage) })

	for _, name := range []string{"", "Ann"} {
		request := httptest.NewRequest("GET", "/members/rooms/tea", nil)
		request.Header.Set("X-Member", name)
		response := httptest.NewRecorder()
		app.ServeHTTP(response, request)
		fmt.Println(response.Code, response.Body)
	}
	// Output:
	// 403 Log in first.
	//
	// 200 room tea for Ann
}
