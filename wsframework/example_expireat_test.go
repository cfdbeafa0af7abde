package wsframework_test

import (
	"errors"
	"net/http"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A TokenHandler lives as long as its peer's token, and longer when that shows a new one.
type TokenHandler struct {
	wsframework.BaseHandler
}

func (h *TokenHandler) Prepare() error {
	if err := h.extend(h.Argument("token")); err != nil {
		return &wsframework.HTTPError{Status: http.StatusUnauthorized, Err: err}
	}
	return nil
}

func (h *TokenHandler) OnMessage(m wsframework.Message) error { return h.extend(m.String()) }

func (h *TokenHandler) extend(token string) error {
	expires, err := verify(token)
	if err != nil {
		return err
	}
	return h.ExpireAt(expires, wsframework.CloseSessionEnded, "the token has expired")
}

// verify stands for what a package for tokens does.
func verify(token string) (expires time.Time, err error) {
	if token != "sesame" {
		return expires, errors.New("not a token of ours")
	}
	return time.Now().Add(time.Hour), nil
}

func ExampleBaseHandler_ExpireAt() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/ws", func() wsframework.Handler { return new(TokenHandler) })
}
