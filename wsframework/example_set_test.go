package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// GuestHandler is in the set of all guests while its connection is open. Leaving it needs no code.
type GuestHandler struct {
	wsframework.BaseHandler
	guests *wsframework.Set[*GuestHandler]
}

func (h *GuestHandler) Open() error { return h.guests.Add(h) }

func (h *GuestHandler) OnMessage(m wsframework.Message) error {
	for g := range h.guests.All() {
		g.WriteMessage(fmt.Sprintf("%s, dear %s", m, g.Argument("name")))
	}
	return nil
}

// A Set is for a loop over handlers that writes to each of them.
func ExampleSet() {
	var guests wsframework.Set[*GuestHandler]
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/party", func() wsframework.Handler { return &GuestHandler{guests: &guests} })

	server := httptest.NewServer(app)
	defer server.Close()

	clients := make(map[string]*websocket.Conn)
	for _, name := range []string{"ann", "bob"} {
		client, _, err := websocket.Dial(context.Background(), server.URL+"/party?name="+name, nil)
		if err != nil {
			log.Fatal(err)
		}
		defer client.CloseNow()
		clients[name] = client
		// Its first answer tells that it is in the set.
		if err := client.Write(context.Background(), websocket.MessageText, []byte("Welcome")); err != nil {
			log.Fatal(err)
		}
		for _, c := range clients {
			if _, _, err := c.Read(context.Background()); err != nil {
				log.Fatal(err)
			}
		}
	}
	if err := clients["bob"].Write(context.Background(), websocket.MessageText, []byte("Cheers")); err != nil {
		log.Fatal(err)
	}
	for _, name := range []string{"ann", "bob"} {
		_, message, err := clients[name].Read(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(message))
	}
	// Output:
	// Cheers, dear ann
	// Cheers, dear bob
}
