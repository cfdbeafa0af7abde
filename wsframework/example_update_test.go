package wsframework_test

import (
	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
)

// A CartHandler keeps what its visitor picks in his session, where pages find it.
type CartHandler struct {
	wsframework.BaseHandler
}

func (h *CartHandler) OnMessage(m wsframework.Message) error {
	return h.Session().Update(h.Context(), func(tx *wsframework.SessionTx) error {
		cart, _ := wsframework.SessionValue[[]string](tx, "cart")
		tx.Put("cart", append(cart, m.String()))
		return nil
	})
}

func ExampleSession_Update() {
	app := wsframework.NewApplication(wsframework.Settings{Sessions: scs.New()})
	app.WebSocket("/cart", func() wsframework.Handler { return new(CartHandler) })
}
