package e2e

import (
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/chromedp/chromedp"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A real browser has messages of up to 16 MiB echoed, with and without compression.
func TestBrowserEcho(t *testing.T) {
	browser := startBrowser(t)
	for name, options := range compressions {
		t.Run(name, func(t *testing.T) {
			log := wstest.NewLog(t)
			app := wsframework.NewApplication(wsframework.Settings{
				Logger: log.Logger(slog.LevelWarn), MaxMessageSize: 17 << 20, MaxPendingOut: 64 << 20, Compression: options,
			})
			app.WebSocket("/echo", func() wsframework.Handler { return new(echoHandler) })
			app.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
				http.ServeFile(w, r, "testdata/browser_echo.html")
			})
			p := newTab(t, browser, wstest.Serve(t, app, wstest.TCP()), chromedp.WithNewBrowserContext())
			p.open("/")
			p.waitFor("document.title", fmt.Sprintf("good, compressed: %t", options != nil))
			p.close()
			log.ExpectNothing()
		})
	}
}
