package main

import (
	"fmt"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// The other steps of docs/worked-port.md, which the chat is tested with as well.

// A mapHandler is the word-for-word port: a plain set that all callbacks share. It needs Settings.Serial.
type mapHandler struct {
	wsframework.BaseHandler
	users map[*mapHandler]bool
}

func (h *mapHandler) Open() error {
	h.users[h] = true
	return nil
}

func (h *mapHandler) OnMessage(m wsframework.Message) error {
	me, _ := wsframework.UserAs[user](h)
	for u := range h.users {
		u.WriteMessage(fmt.Sprintf("%s-%s-说:%s",
			me.Username, time.Now().Format(time.DateTime), m))
	}
	return nil
}

func (h *mapHandler) OnClose() { delete(h.users, h) }

func newMapHandler() func() wsframework.Handler {
	users := make(map[*mapHandler]bool)
	return func() wsframework.Handler { return &mapHandler{users: users} }
}

// A groupHandler needs neither a set of its own nor Settings.Serial.
type groupHandler struct{ wsframework.BaseHandler }

func (h *groupHandler) Open() error { return h.Join("users") }

func (h *groupHandler) OnMessage(m wsframework.Message) error {
	me, _ := wsframework.UserAs[user](h)
	return h.Broadcast("users", fmt.Sprintf("%s-%s-说:%s",
		me.Username, time.Now().Format(time.DateTime), m))
}

func newGroupHandler() func() wsframework.Handler {
	return func() wsframework.Handler { return new(groupHandler) }
}
