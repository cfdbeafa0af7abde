package wsframework_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// users is the class-wide set of a Tornado handler, ported to the letter.
type users struct {
	mu  sync.Mutex
	all map[*ported]bool
}

type ported struct {
	wsframework.BaseHandler
	users *users
}

func (h *ported) Open() error {
	h.users.mu.Lock()
	defer h.users.mu.Unlock()
	h.users.all[h] = true
	return h.WriteMessage("in")
}

func (h *ported) OnMessage(m wsframework.Message) error {
	h.users.mu.Lock()
	defer h.users.mu.Unlock()
	for u := range h.users.all {
		u.WriteMessage(fmt.Sprintf("%s-说:%s", h.Argument("name"), m))
	}
	return nil
}

func (h *ported) OnClose() {
	h.users.mu.Lock()
	defer h.users.mu.Unlock()
	delete(h.users.all, h)
}

func TestLiteralPort(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		set := &users{all: make(map[*ported]bool)}
		s := n.route(t, wsframework.Settings{}, func() wsframework.Handler { return &ported{users: set} })
		var clients []*wstest.Client
		for range 5 {
			cl := s.open("/ws?name=ann")
			cl.Expect("in")
			clients = append(clients, cl)
		}
		clients[0].WriteClose(1000, "")
		expectClose(t, clients[0], 1000, "")
		clients[0].ExpectEnd()
		for range 20 {
			clients[1].Write("hello")
			for _, cl := range clients[1:] {
				cl.Expect("ann-说:hello")
			}
		}
	})
}
