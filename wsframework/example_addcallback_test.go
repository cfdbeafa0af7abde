package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// LookupHandler looks things up beside the callbacks, and keeps what it finds for all connections.
type LookupHandler struct {
	wsframework.BaseHandler
	found map[string]string
}

func (h *LookupHandler) OnMessage(m wsframework.Message) error {
	name := m.String()
	return h.Go(func(context.Context) error {
		value := strings.ToUpper(name) // which may take its time
		return h.Application().AddCallback(func() {
			h.found[name] = value // the line's own: no lock
			h.WriteJSON(h.found)
		})
	})
}

// AddCallback takes a result back into the line in which what is shared needs no lock.
func ExampleApplication_AddCallback() {
	found := make(map[string]string)
	app := wsframework.NewApplication(wsframework.Settings{Serial: true})
	app.WebSocket("/lookup", func() wsframework.Handler { return &LookupHandler{found: found} })

	server := httptest.NewServer(app)
	defer server.Close()

	client, _, err := websocket.Dial(context.Background(), server.URL+"/lookup", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseNow()
	for _, name := range []string{"tea", "milk"} {
		if err := client.Write(context.Background(), websocket.MessageText, []byte(name)); err != nil {
			log.Fatal(err)
		}
		_, answer, err := client.Read(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(answer))
	}
	// Output:
	// {"tea":"TEA"}
	// {"milk":"MILK","tea":"TEA"}
}
