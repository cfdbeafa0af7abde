package wsframework_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"

	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// AccountHandler has a method for each type of message.
type AccountHandler struct {
	wsframework.BaseHandler
	balance int
}

type Deposit struct {
	Amount int `json:"amount"`
}

type Report struct {
	Currency string `json:"currency"`
}

func (h *AccountHandler) OnDeposit(in Deposit) error {
	h.balance += in.Amount
	return nil
}

func (h *AccountHandler) OnReport(in Report) error {
	return h.WriteText(fmt.Sprint(h.balance, " ", in.Currency))
}

var accountCommands = wsframework.NewDispatcher("type",
	wsframework.On("deposit", (*AccountHandler).OnDeposit),
	wsframework.On("report", (*AccountHandler).OnReport),
)

func (h *AccountHandler) OnMessage(m wsframework.Message) error {
	return accountCommands.Dispatch(h, m)
}

// A Dispatcher passes JSON messages to the method that their type names.
func ExampleDispatcher() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/account", func() wsframework.Handler { return new(AccountHandler) })

	server := httptest.NewServer(app)
	defer server.Close()

	client, _, err := websocket.Dial(context.Background(), server.URL+"/account", nil)
	if err != nil {
		log.Fatal(err)
	}
	defer client.CloseNow()
	for _, message := range []string{
		`{"type":"deposit","amount":40}`,
		`{"type":"deposit","amount":2}`,
		`{"type":"report","currency":"EUR"}`,
		`{"type":"withdraw","amount":42}`,
	} {
		if err := client.Write(context.Background(), websocket.MessageText, []byte(message)); err != nil {
			log.Fatal(err)
		}
	}
	for {
		_, answer, err := client.Read(context.Background())
		if err != nil {
			fmt.Println(websocket.CloseStatus(err))
			return
		}
		fmt.Println(string(answer))
	}
	// Output:
	// 42 EUR
	// StatusPolicyViolation
}
