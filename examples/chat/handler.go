package main

import (
	"fmt"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A chatHandler serves one open page. Its callbacks never overlap, so fields need no lock; leaving the
// group when the connection ends needs no code.
type chatHandler struct {
	wsframework.BaseHandler
	roster *roster
}

// Open lets the page in. A person who opens a second page is not news to the others.
func (h *chatHandler) Open() error {
	return h.roster.enter(h.name(), func(first bool, online []string) error {
		if err := h.Join("users"); err != nil {
			return err
		}
		joined := notice{Type: "joined", Name: h.name(), Online: online}
		if first {
			return h.Broadcast("users", joined)
		}
		return h.WriteJSON(joined)
	})
}

// OnMessage passes what a person wrote to everyone, the sender included.
func (h *chatHandler) OnMessage(m wsframework.Message) error {
	if problem := problemWith(m); problem != "" {
		return h.WriteJSON(notice{Type: "error", Text: problem})
	}
	return h.Broadcast("users", fmt.Sprintf("%s-%s-说:%s", h.name(), time.Now().Format(time.DateTime), m))
}

// OnClose tells the others when a person's last page is gone, however it ended.
func (h *chatHandler) OnClose() {
	h.roster.leave(h.name(), func(online []string) {
		h.Broadcast("users", notice{Type: "left", Name: h.name(), Online: online})
	})
}

// name is the session's "user". The route is Authenticated, so there is one.
func (h *chatHandler) name() string { return fmt.Sprint(h.CurrentUser()) }
