// Command coder is github.com/coder/websocket as a server under test, in the manner of its examples
// "echo" and "chat": each member of the chat has a channel and writes what arrives in it.
package main

import (
	"context"
	"net/http"
	"sync"

	"github.com/coder/websocket"

	"github.com/gotornado/gotornado/benchmarks/servers/internal/serve"
)

// pending is how many messages may wait for a member before it is thrown out. The example's 16 would
// not outlast the bursts of the benchmark.
const pending = 256

type message struct {
	kind websocket.MessageType
	data []byte
}

type chat struct {
	mu      sync.Mutex
	members map[chan message]func()
}

func (s *chat) join(outbox chan message, closeSlow func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.members[outbox] = closeSlow
}

func (s *chat) leave(outbox chan message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.members, outbox)
}

func (s *chat) publish(m message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for outbox, closeSlow := range s.members {
		select {
		case outbox <- m:
		default:
			go closeSlow()
		}
	}
}

func (s *chat) serve(ctx context.Context, c *websocket.Conn) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	outbox := make(chan message, pending)
	s.join(outbox, func() {
		c.Close(websocket.StatusPolicyViolation, "connection too slow to keep up with messages")
	})
	defer s.leave(outbox)
	go func() {
		for {
			select {
			case m := <-outbox:
				if err := c.Write(ctx, m.kind, m.data); err != nil {
					return
				}
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		kind, data, err := c.Read(ctx)
		if err != nil {
			return
		}
		s.publish(message{kind, data})
	}
}

func echo(ctx context.Context, c *websocket.Conn) {
	for {
		kind, data, err := c.Read(ctx)
		if err != nil {
			return
		}
		if err := c.Write(ctx, kind, data); err != nil {
			return
		}
	}
}

func main() {
	serve.Main(func(options serve.Options) http.Handler {
		accept := &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled}
		if options.Compress {
			accept.CompressionMode = websocket.CompressionNoContextTakeover
		}
		endpoint := func(serveConn func(context.Context, *websocket.Conn)) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) {
				c, err := websocket.Accept(w, r, accept)
				if err != nil {
					return
				}
				defer c.CloseNow()
				c.SetReadLimit(serve.MessageLimit)
				serveConn(r.Context(), c)
			}
		}
		room := &chat{members: make(map[chan message]func())}
		mux := http.NewServeMux()
		mux.Handle("/echo", endpoint(echo))
		mux.Handle("/broadcast", endpoint(room.serve))
		return mux
	})
}
