package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// VoteHandler counts votes in a map that all connections share, without a lock.
type VoteHandler struct {
	wsframework.BaseHandler
	votes map[string]int
}

func (h *VoteHandler) OnMessage(m wsframework.Message) error {
	h.votes[m.String()]++
	return h.WriteJSON(h.votes)
}

// With Serial all callbacks of an application run one at a time, as on Tornado's loop.
func ExampleSettings_serial() {
	votes := make(map[string]int)
	app := wsframework.NewApplication(wsframework.Settings{Serial: true})
	app.WebSocket("/votes", func() wsframework.Handler { return &VoteHandler{votes: votes} })

	server := httptest.NewServer(app)
	defer server.Close()

	for _, vote := range []string{"tea", "coffee", "tea"} {
		client, _, err := websocket.Dial(context.Background(), server.URL+"/votes", nil)
		if err != nil {
			log.Fatal(err)
		}
		defer client.CloseNow()
		if err := client.Write(context.Background(), websocket.MessageText, []byte(vote)); err != nil {
			log.Fatal(err)
		}
		_, result, err := client.Read(context.Background())
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(string(result))
	}
	// Output:
	// {"tea":1}
	// {"coffee":1,"tea":1}
	// {"coffee":1,"tea":2}
}
