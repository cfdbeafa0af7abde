package main

import (
	"fmt"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A user is what the session's "user" is.
type user struct{ Username string }

// A messageHandler serves one connection of the chat.
type messageHandler struct {
	wsframework.BaseHandler
	users *wsframework.Set[*messageHandler]
}

func (h *messageHandler) Open() error { return h.users.Add(h) }

func (h *messageHandler) OnMessage(m wsframework.Message) error {
	me, _ := wsframework.UserAs[user](h)
	for u := range h.users.All() {
		u.WriteMessage(fmt.Sprintf("%s-%s-说:%s",
			me.Username, time.Now().Format(time.DateTime), m))
	}
	return nil
}
