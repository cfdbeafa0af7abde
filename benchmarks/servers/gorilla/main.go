// Command gorilla is github.com/gorilla/websocket as a server under test, in the manner of its examples
// "echo" and "chat": a hub, and two pumps for each member. The hub sends prepared messages, as the
// package's documentation advises for many receivers.
package main

import (
	"flag"
	"net/http"

	"github.com/gorilla/websocket"

	"github.com/gotornado/gotornado/benchmarks/servers/internal/serve"
)

// pending is how many messages may wait for a member before it is thrown out, as in the example.
const pending = 256

var plain = flag.Bool("plain", false, "broadcast without prepared messages")

// A sender writes one message to one member.
type sender func(c *websocket.Conn) error

type member struct {
	conn   *websocket.Conn
	outbox chan sender
}

func (m *member) writePump() {
	defer m.conn.Close()
	for send := range m.outbox {
		if err := send(m.conn); err != nil {
			return
		}
	}
}

func (m *member) readPump(h *hub) {
	defer func() {
		h.unregister <- m
		m.conn.Close()
	}()
	for {
		kind, data, err := m.conn.ReadMessage()
		if err != nil {
			return
		}
		send, err := prepare(kind, data)
		if err != nil {
			return
		}
		h.broadcast <- send
	}
}

func prepare(kind int, data []byte) (sender, error) {
	if *plain {
		return func(c *websocket.Conn) error { return c.WriteMessage(kind, data) }, nil
	}
	prepared, err := websocket.NewPreparedMessage(kind, data)
	return func(c *websocket.Conn) error { return c.WritePreparedMessage(prepared) }, err
}

type hub struct {
	register   chan *member
	unregister chan *member
	broadcast  chan sender
}

func (h *hub) run() {
	members := make(map[*member]bool)
	remove := func(m *member) {
		if members[m] {
			delete(members, m)
			close(m.outbox)
		}
	}
	for {
		select {
		case m := <-h.register:
			members[m] = true
		case m := <-h.unregister:
			remove(m)
		case send := <-h.broadcast:
			for m := range members {
				select {
				case m.outbox <- send:
				default:
					remove(m)
				}
			}
		}
	}
}

func echo(c *websocket.Conn) {
	defer c.Close()
	for {
		kind, data, err := c.ReadMessage()
		if err != nil {
			return
		}
		if err := c.WriteMessage(kind, data); err != nil {
			return
		}
	}
}

func main() {
	serve.Main(func(options serve.Options) http.Handler {
		upgrader := websocket.Upgrader{EnableCompression: options.Compress}
		h := &hub{make(chan *member), make(chan *member), make(chan sender)}
		go h.run()

		mux := http.NewServeMux()
		mux.HandleFunc("/echo", func(w http.ResponseWriter, r *http.Request) {
			if c, err := upgrader.Upgrade(w, r, nil); err == nil {
				echo(c)
			}
		})
		mux.HandleFunc("/broadcast", func(w http.ResponseWriter, r *http.Request) {
			c, err := upgrader.Upgrade(w, r, nil)
			if err != nil {
				return
			}
			m := &member{conn: c, outbox: make(chan sender, pending)}
			h.register <- m
			go m.writePump()
			go m.readPump(h)
		})
		return mux
	})
}
