package wsframework_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// RFC 6455, 4.2.1: what a client's handshake has to be. TestRefusedRequests and TestAcceptedRequests have
// the plain cases, with what is said and logged.
func TestStrictHandshake(t *testing.T) {
	hostile := `"><script>alert(1)</script>`
	tests := []struct {
		name    string
		changes []string
		status  int
	}{
		{"methods in small letters", []string{"get /ws HTTP/1.1"}, 405},
		{"a method of nobody's", []string{"WEBSOCKET /ws HTTP/1.1"}, 405},
		{"CONNECT", []string{"CONNECT /ws HTTP/1.1"}, 405},
		{"HTTP/1.0 with all the rest", []string{"GET /ws HTTP/1.0"}, 400},
		{"HTTP/1.2", []string{"GET /ws HTTP/1.2"}, 101}, // "1.1 or higher"

		{"Upgrade in capitals", []string{"Upgrade: WEBSOCKET"}, 101},
		{"Upgrade in a list", []string{"Upgrade: h2c , WebSocket"}, 101},
		{"Upgrade in two headers", []string{"Upgrade: h2c", "+uPGRADE: websocket"}, 101},
		{"Upgrade in a list with empty elements", []string{"Upgrade: ,, websocket,"}, 101},
		{"Upgrade with a version", []string{"Upgrade: websocket/13"}, 400},
		{"Upgrade with more behind", []string{"Upgrade: websocket2"}, 400},
		{"Upgrade in quotes", []string{`Upgrade: "websocket"`}, 400},
		{"an empty Upgrade", []string{"Upgrade: ,"}, 400},
		{"Connection in odd case", []string{"Connection: uPgRaDe"}, 101},
		{"Connection in two headers", []string{"Connection: keep-alive", "+CONNECTION: keep-alive,UPGRADE"}, 101},
		{"Connection that closes", []string{"Connection: close"}, 400},
		{"Connection with a token too much", []string{"Connection: Upgrade websocket"}, 400},

		{"a version with space", []string{"Sec-WebSocket-Version:  13 \t"}, 101},
		{"version 12", []string{"Sec-WebSocket-Version: 12"}, 426},
		{"version 14", []string{"Sec-WebSocket-Version: 14"}, 426},
		{"version 013", []string{"Sec-WebSocket-Version: 013"}, 426},
		{"version +13", []string{"Sec-WebSocket-Version: +13"}, 426},
		{"version 13.0", []string{"Sec-WebSocket-Version: 13.0"}, 426},
		{"version 13, 8", []string{"Sec-WebSocket-Version: 13, 8"}, 426},
		{"version in Arabic digits", []string{"Sec-WebSocket-Version: \u0661\u0663"}, 426},
		{"two versions", []string{"+Sec-WebSocket-Version: 8"}, 400},
		{"a version twice", []string{"+Sec-WebSocket-Version: 13"}, 400},

		{"a key of 15 bytes", []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAA"}, 400},
		{"a key of 17 bytes", []string{"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAAA="}, 400},
		{"a key without padding", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"}, 400},
		{"a key with one =", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ="}, 400},
		{"a key with three =", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==="}, 400},
		{"a key for URLs", []string{"Sec-WebSocket-Key: ____________________-w=="}, 400},
		{"a key with space in it", []string{"Sec-WebSocket-Key: dGhlIHNhbXBsZS Bub25jZQ=="}, 400},
		{"a key in a list", []string{"Sec-WebSocket-Key: " + testKey + ", " + testKey}, 400},
		{"a key twice", []string{"+sec-websocket-key: " + testKey}, 400},
		{"a key with space around", []string{"Sec-WebSocket-Key:   " + testKey + "  "}, 101},
		{"a key of 10000 letters", []string{"Sec-WebSocket-Key: " + strings.Repeat("A", 10_000)}, 400},
		{"a hostile key", []string{"Sec-WebSocket-Key: " + hostile}, 400},

		{"an origin twice", []string{"+Origin: http://example.com", "+Origin: http://example.com"}, 403},
		{"a hostile origin", []string{"+Origin: http://" + hostile}, 403},
		{"an empty origin", []string{"+Origin:"}, 403},
		{"subprotocols", []string{"+Sec-WebSocket-Protocol: a, b", "+Sec-WebSocket-Protocol: c"}, 101},
		{"subprotocols with empty elements", []string{"+Sec-WebSocket-Protocol: ,a,,"}, 101},
		{"a subprotocol that is no token", []string{"+Sec-WebSocket-Protocol: a b"}, 400},
		{"a subprotocol in quotes", []string{`+Sec-WebSocket-Protocol: "a"`}, 400},
		{"a hostile subprotocol", []string{"+Sec-WebSocket-Protocol: " + hostile}, 400},
		{"hostile extensions", []string{"+Sec-WebSocket-Extensions: " + hostile}, 400},
		{"a hostile version", []string{"Sec-WebSocket-Version: " + hostile}, 426},
		{"a hostile Upgrade", []string{"Upgrade: " + hostile}, 400},

		{"no host", []string{"Host:"}, 400},
		{"two hosts", []string{"+Host: example.com"}, 400},
		{"a header that goes on in the next line", []string{"+X-A: 1\r\n 2"}, 101},
		{"a header without a colon", []string{"+nonsense"}, 400},
		{"a header with a space before the colon", []string{"+X-A : 1"}, 400},
		{"a header with a zero octet", []string{"+X-A: \x00"}, 400},
		{"1000 headers", strings.Split(strings.Repeat("+X-A: 1\n", 1000)+"+X-B: 1", "\n"), 101},
		{"a header of 2 MiB", []string{"+X-A: " + strings.Repeat("a", 2<<20)}, 431},
		{"a path of 2 MiB", []string{"GET /ws?" + strings.Repeat("a", 2<<20) + " HTTP/1.1"}, 431},
		{"a body and a length", []string{"+Content-Length: 5"}, 400},
		{"a length twice", []string{"+Content-Length: 0", "+Content-Length: 5"}, 400},
		{"a length below zero", []string{"+Content-Length: -1"}, 400},
		{"chunks and a length", []string{"+Transfer-Encoding: chunked", "+Content-Length: 5"}, 400},
	}
	s := overTCP.probes(t, wsframework.Settings{}, func(p *probe) {
		p.open = func() error { return p.Close(0, "") }
	})
	for _, test := range tests {
		response, answer := s.ask(with(goodRequest, test.changes...), "0\r\n\r\n") // an end of chunks, where there are any
		if response.StatusCode != test.status {
			t.Errorf("%s: %s %.100s, want %d", test.name, response.Status, answer, test.status)
		}
		if header := fmt.Sprint(response.Header); strings.Contains(answer+header, "script") {
			t.Errorf("%s: the answer repeats what was asked: %s %s", test.name, header, answer)
		}
		if upgrade := response.Header.Get("Upgrade"); (test.status == 101 || test.status == 426) != (upgrade == "websocket") {
			t.Errorf("%s: the answer has the Upgrade %q", test.name, upgrade)
		}
		if version := response.Header["Sec-Websocket-Version"]; test.status == 426 != (fmt.Sprint(version) == "[13]") {
			t.Errorf("%s: the answer has the version %q", test.name, version)
		}
	}
}

// Over HTTP/2 there is no upgrade (RFC 9113, 8.6).
func TestHandshakeOverHTTP2(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet, AccessLogger: quiet})
	app.WebSocket("/ws", func() wsframework.Handler { return new(probe) })
	server := httptest.NewUnstartedServer(app)
	server.EnableHTTP2 = true
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	defer server.Close()
	defer app.Shutdown(context.Background())
	request, _ := http.NewRequest("GET", server.URL+"/ws", nil)
	request.Header = http.Header{"Sec-Websocket-Version": {"13"}, "Sec-Websocket-Key": {testKey}}
	response, err := server.Client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, _ := io.ReadAll(response.Body)
	if response.StatusCode != 400 || response.ProtoMajor != 2 || !strings.Contains(string(answer), "HTTP/1.1, not HTTP/2.0") {
		t.Errorf("%s %s %s", response.Proto, response.Status, answer)
	}
}
