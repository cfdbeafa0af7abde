package client

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// codeOf returns the exit code that an error stands for.
func codeOf(err error) int {
	var exit *ExitError
	switch {
	case err == nil:
		return exitNormal
	case errors.As(err, &exit):
		return exit.ExitCode()
	}
	return -1 // which none may have
}

// A result is what the command has left.
type result struct {
	out, diagnostics string // the error, too
	code             int
}

func (r result) String() string {
	return fmt.Sprintf("exit code %d, output %q, diagnostics %q", r.code, r.out, r.diagnostics)
}

// runCommand runs the command with an input that is no terminal.
func runCommand(in io.Reader, args ...string) result {
	var out, diagnostics bytes.Buffer
	cmd := NewCommand()
	cmd.SetIn(in)
	cmd.SetOut(&out)
	cmd.SetErr(&diagnostics)
	cmd.SetArgs(args)
	err := cmd.Execute()
	if err != nil {
		diagnostics.WriteString(err.Error())
	}
	return result{out.String(), diagnostics.String(), codeOf(err)}
}

// An echo does what messages say.
type echo struct{ wsframework.BaseHandler }

func (h *echo) OnMessage(m wsframework.Message) error {
	switch text := m.String(); {
	case text == "bytes":
		return h.WriteBinary([]byte{0, 1, 255})
	case text == "normal":
		return h.Close(1000, "done")
	case text == "session":
		return h.Close(wsframework.CloseSessionEnded, "the session has ended")
	case text == "silence":
		return nil
	case text == "who":
		r := h.Request()
		user, password, _ := r.BasicAuth()
		return h.WriteJSON([]string{h.Subprotocol(), r.Header.Get("X-A"), h.Cookie("c"), r.Header.Get("Origin"), user, password})
	}
	return h.WriteMessage(m)
}

func (h *echo) SelectSubprotocol(offered []string) string {
	if len(offered) == 0 {
		return ""
	}
	return offered[len(offered)-1]
}

func (h *echo) CheckOrigin(string) bool { return true }

// newEcho serves an echo and returns the URL of its socket.
func newEcho(t *testing.T) string {
	settings := quietSettings()
	settings.Compression = &wsframework.CompressionOptions{}
	app := wsframework.NewApplication(settings)
	app.WebSocket("/echo", func() wsframework.Handler { return new(echo) })
	server := httptest.NewServer(app)
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1) + "/echo"
}

// newRaw serves handshakes, and does with the connections behind them what serve says.
func newRaw(t *testing.T, serve func(net.Conn)) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			t.Error(err)
			return
		}
		defer conn.Close()
		sum := sha1.Sum([]byte(r.Header.Get("Sec-Websocket-Key") + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
		fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
			base64.StdEncoding.EncodeToString(sum[:]))
		serve(conn)
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// quietSettings are those of an application that logs nothing.
func quietSettings() wsframework.Settings {
	return wsframework.Settings{Logger: slog.New(slog.DiscardHandler), AccessLogger: slog.New(slog.DiscardHandler)}
}

func quietLog() *log.Logger { return log.New(io.Discard, "", 0) }
