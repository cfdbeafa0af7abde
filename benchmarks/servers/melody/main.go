// Command melody is github.com/olahol/melody as a server under test, in the manner of its README.
package main

import (
	"log"
	"net/http"

	"github.com/olahol/melody"

	"github.com/gotornado/gotornado/benchmarks/servers/internal/serve"
)

func newMelody(options serve.Options) *melody.Melody {
	m := melody.New()
	m.Config.MaxMessageSize = serve.MessageLimit
	m.Upgrader.EnableCompression = options.Compress
	return m
}

func endpoint(m *melody.Melody) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := m.HandleRequest(w, r); err != nil {
			log.Print(err)
		}
	}
}

func main() {
	serve.Main(func(options serve.Options) http.Handler {
		echo := newMelody(options)
		echo.HandleMessage(func(s *melody.Session, data []byte) { logError(s.Write(data)) })
		echo.HandleMessageBinary(func(s *melody.Session, data []byte) { logError(s.WriteBinary(data)) })

		broadcast := newMelody(options)
		broadcast.HandleMessage(func(s *melody.Session, data []byte) { logError(broadcast.Broadcast(data)) })
		broadcast.HandleMessageBinary(func(s *melody.Session, data []byte) { logError(broadcast.BroadcastBinary(data)) })

		mux := http.NewServeMux()
		mux.Handle("/echo", endpoint(echo))
		mux.Handle("/broadcast", endpoint(broadcast))
		return mux
	})
}

func logError(err error) {
	if err != nil {
		log.Print(err)
	}
}
