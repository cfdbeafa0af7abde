// Command gws is github.com/lxzan/gws as a server under test, in the manner of its README's "Best
// Practice" and "Broadcast". Parallel handling of messages stays off: it would change their order.
package main

import (
	"net/http"
	"sync"
	"time"

	"github.com/lxzan/gws"

	"github.com/gotornado/gotornado/benchmarks/servers/internal/serve"
)

// timeout is when a silent peer is given up.
const timeout = time.Minute

type echo struct {
	gws.BuiltinEventHandler
}

func (*echo) OnOpen(socket *gws.Conn) { _ = socket.SetDeadline(time.Now().Add(timeout)) }

func (*echo) OnPing(socket *gws.Conn, payload []byte) {
	_ = socket.SetDeadline(time.Now().Add(timeout))
	_ = socket.WritePong(nil)
}

func (*echo) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close()
	_ = socket.WriteMessage(message.Opcode, message.Bytes())
}

type broadcast struct {
	echo
	mu      sync.RWMutex
	members map[*gws.Conn]struct{}
}

func (b *broadcast) OnOpen(socket *gws.Conn) {
	b.echo.OnOpen(socket)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.members[socket] = struct{}{}
}

func (b *broadcast) OnClose(socket *gws.Conn, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.members, socket)
}

func (b *broadcast) OnMessage(socket *gws.Conn, message *gws.Message) {
	defer message.Close()
	broadcaster := gws.NewBroadcaster(message.Opcode, message.Bytes())
	defer broadcaster.Close()
	b.mu.RLock()
	defer b.mu.RUnlock()
	for member := range b.members {
		_ = broadcaster.Broadcast(member)
	}
}

func main() {
	serve.Main(func(options serve.Options) http.Handler {
		endpoint := func(handler gws.Event) http.HandlerFunc {
			upgrader := gws.NewUpgrader(handler, &gws.ServerOption{
				Recovery:          gws.Recovery,
				PermessageDeflate: gws.PermessageDeflate{Enabled: options.Compress},
			})
			return func(w http.ResponseWriter, r *http.Request) {
				socket, err := upgrader.Upgrade(w, r)
				if err != nil {
					return
				}
				go socket.ReadLoop()
			}
		}
		mux := http.NewServeMux()
		mux.Handle("/echo", endpoint(new(echo)))
		mux.Handle("/broadcast", endpoint(&broadcast{members: make(map[*gws.Conn]struct{})}))
		return mux
	})
}
