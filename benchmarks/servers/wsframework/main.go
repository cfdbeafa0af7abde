// Command wsframework is this repository's framework as a server under test: its public API with all
// defaults.
package main

import (
	"log"
	"log/slog"

	"github.com/gotornado/gotornado/benchmarks/servers/internal/serve"
	"github.com/gotornado/gotornado/wsframework"
)

type echo struct {
	wsframework.BaseHandler
}

func (h *echo) OnMessage(m wsframework.Message) error { return h.WriteMessage(m) }

type broadcast struct {
	wsframework.BaseHandler
}

func (h *broadcast) Open() error                           { return h.Join("all") }
func (h *broadcast) OnMessage(m wsframework.Message) error { return h.Broadcast("all", m) }

func main() {
	listener, options := serve.Listen()
	settings := wsframework.Settings{AccessLogger: slog.New(slog.DiscardHandler)} // no peer writes one
	if options.Compress {
		settings.Compression = new(wsframework.CompressionOptions)
	}
	app := wsframework.NewApplication(settings)
	app.WebSocket("/echo", func() wsframework.Handler { return new(echo) })
	app.WebSocket("/broadcast", func() wsframework.Handler { return new(broadcast) })
	log.Fatal(app.Serve(listener))
}
