package wsframework_test

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// offers are what a client may send as Sec-WebSocket-Extensions, and what a server without and with
// ContextTakeover answers: "-" for no extension, "400" for a refusal.
var offers = []struct{ offer, independent, takeover string }{
	{"permessage-deflate", "S", "D"},
	{"permessage-deflate; server_no_context_takeover", "S", "S"},
	{"permessage-deflate; client_no_context_takeover", "S; C", "D; C"},
	{"permessage-deflate; client_no_context_takeover; server_no_context_takeover", "S; C", "S; C"},
	{"permessage-deflate; client_max_window_bits", "S", "D"},
	{"permessage-deflate; client_max_window_bits=8; client_no_context_takeover", "S; C", "D; C"},
	{"permessage-deflate;client_max_window_bits;server_max_window_bits=10", "S; W10", "S; W10"},
	{"permessage-deflate ;\tserver_max_window_bits = \"12\" ", "S; W12", "S; W12"},
	{`permessage-deflate; server_max_window_bits="1\2"`, "S; W12", "S; W12"},
	{"permessage-deflate; server_max_window_bits=15; client_max_window_bits", "S; W15", "D; W15"},

	// Several.
	{"permessage-deflate, permessage-deflate; server_no_context_takeover", "S", "D"},
	{"permessage-deflate; server_no_context_takeover, permessage-deflate", "S", "S"},
	{"permessage-deflate; server_max_window_bits=7, permessage-deflate; client_no_context_takeover", "S; C", "D; C"},
	{"permessage-deflate; nonsense, permessage-deflate; nonsense=2, permessage-deflate", "S", "D"},
	{"x-webkit-deflate-frame, permessage-bzip2; level=9, permessage-deflate; server_max_window_bits=9, permessage-deflate", "S; W9", "S; W9"},
	{", ,permessage-deflate,", "S", "D"},
	{"x-other; a=\"b\"; c, permessage-deflate", "S", "D"},
	{"x-other", "-", "-"},
	{"", "-", "-"},
	{" , ", "-", "-"},

	// Offers that are declined.
	{"Permessage-Deflate", "-", "-"},
	{"permessage-deflate; Server_No_Context_Takeover", "-", "-"},
	{"permessage-deflate; nonsense", "-", "-"},
	{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", "-", "-"},
	{"permessage-deflate; client_no_context_takeover; client_no_context_takeover", "-", "-"},
	{"permessage-deflate; client_max_window_bits; client_max_window_bits", "-", "-"},
	{"permessage-deflate; client_max_window_bits; client_max_window_bits=9", "-", "-"},
	{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", "-", "-"},
	{"permessage-deflate; server_no_context_takeover=1", "-", "-"},
	{"permessage-deflate; client_no_context_takeover=true", "-", "-"},
	{"permessage-deflate; server_max_window_bits", "-", "-"},
	{"permessage-deflate; server_max_window_bits=7", "-", "-"},
	{"permessage-deflate; server_max_window_bits=16", "-", "-"},
	{"permessage-deflate; server_max_window_bits=08", "-", "-"},
	{"permessage-deflate; server_max_window_bits=+9", "-", "-"},
	{"permessage-deflate; server_max_window_bits=-9", "-", "-"},
	{"permessage-deflate; server_max_window_bits=9.0", "-", "-"},
	{"permessage-deflate; server_max_window_bits=0x9", "-", "-"},
	{"permessage-deflate; server_max_window_bits=1_0", "-", "-"},
	{"permessage-deflate; server_max_window_bits=265", "-", "-"},
	{"permessage-deflate; server_max_window_bits=99999999999999999999", "-", "-"},
	{"permessage-deflate; client_max_window_bits=7", "-", "-"},
	{"permessage-deflate; client_max_window_bits=16", "-", "-"},
	{"permessage-deflate; client_max_window_bits=a", "-", "-"},

	// Malformed: RFC 6455, 4.2.1 and 9.1.
	{"permessage-deflate;", "400", "400"},
	{"permessage-deflate; ; client_max_window_bits", "400", "400"},
	{"permessage-deflate; client_max_window_bits=", "400", "400"},
	{"permessage-deflate; =9", "400", "400"},
	{"permessage-deflate client_max_window_bits", "400", "400"},
	{"permessage-deflate; server_max_window_bits=\"9", "400", "400"},
	{"permessage-deflate; server_max_window_bits=\"\"", "400", "400"},
	{"permessage-deflate; server_max_window_bits=\"9 \"", "400", "400"},
	{"permessage-deflate; server_max_window_bits=\"9\\\"", "400", "400"},
	{"permessage-deflate; server_max_window_bits=\"9\"9", "400", "400"},
	{"permessage-deflate; server_max_window_bits==9", "400", "400"},
	{"\"permessage-deflate\"", "400", "400"},
	{"permessage-deflate; x=(a)", "400", "400"},
	{"permessage-deflate, ; server_no_context_takeover", "400", "400"},
	{"; permessage-deflate", "400", "400"},
	{"<script>alert(1)</script>", "400", "400"},
	{"permessage-deflate; \u660e", "400", "400"},
}

// spell writes an answer of offers out.
func spell(answer string) string {
	return strings.NewReplacer("-", "", "S", "permessage-deflate; server_no_context_takeover", "D", "permessage-deflate",
		"C", "client_no_context_takeover", "W", "server_max_window_bits=").Replace(answer)
}

// The answer is the same from net/http's own writer and through a middleware's.
func TestDeflateOffers(t *testing.T) {
	for bits := 8; bits <= 15; bits++ {
		offers = append(offers, struct{ offer, independent, takeover string }{
			fmt.Sprintf("permessage-deflate; server_max_window_bits=%d; client_max_window_bits=%d", bits, bits),
			fmt.Sprint("S; W", bits), map[bool]string{true: "D; W15", false: fmt.Sprint("S; W", bits)}[bits == 15],
		})
	}
	inBubble(t, func(t *testing.T, n network) {
		s := n.serve(t, wsframework.Settings{AccessLogger: quiet}, func(app *wsframework.Application) {
			kinds := map[string]*wsframework.CompressionOptions{"/none": nil, "/independent": {}, "/takeover": {ContextTakeover: true}}
			for path, options := range kinds {
				endpoint := app.Upgrade(func() wsframework.Handler {
					return &probe{events: make(chan string, 10), done: make(chan struct{})}
				}, wsframework.Compression(options))
				app.Handle(path, endpoint)
				app.HandleFunc("/wrapped"+path, func(w http.ResponseWriter, r *http.Request) {
					endpoint.ServeHTTP(embedding{w}, r)
				})
			}
		})
		for _, test := range offers {
			none := "-"
			if test.independent == "400" {
				none = "400"
			}
			for path, answer := range map[string]string{"/none": none, "/independent": test.independent, "/takeover": test.takeover} {
				for _, path := range []string{path, "/wrapped" + path} {
					// In one header, and with each offer in its own where that is as good.
					headers := [][]string{{test.offer}}
					if !strings.Contains(test.offer, `"`) {
						headers = append(headers, strings.Split(test.offer, ","))
					}
					for _, values := range headers {
						changes := []string{"GET " + path + " HTTP/1.1"}
						for _, value := range values {
							changes = append(changes, "+sec-websocket-extensions: "+value)
						}
						response, body := s.ask(with(goodRequest, changes...), "")
						status, want := 101, []string{spell(answer)}
						if answer == "400" || answer == "-" {
							want = nil
						}
						if answer == "400" {
							status = 400
						}
						if got := response.Header["Sec-Websocket-Extensions"]; response.StatusCode != status || !slices.Equal(got, want) {
							t.Errorf("%s, %q: %s %q, want %d %q", path, values, response.Status, got, status, want)
						}
						if status == 400 && body != "The header Sec-WebSocket-Extensions is malformed (RFC 6455, 9.1).\n" {
							t.Errorf("%s, %q: %q", path, values, body)
						}
					}
				}
			}
		}
	})
}

// What a server answers to an offer of our client; RFC 7692, 7.1.
func TestClientDeflateAnswers(t *testing.T) {
	const alone = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	const plain, independent = "", alone + ", " + alone + "; client_max_window_bits"
	const takeover = "permessage-deflate, permessage-deflate; client_max_window_bits"
	all := []string{plain, independent, takeover}
	offered := []string{independent, takeover}
	tests := []struct {
		answer string
		right  []string // for these offers
		says   string
	}{
		{"permessage-deflate", offered, "not offered"},
		{"permessage-deflate; server_no_context_takeover", offered, "not offered"},
		{"permessage-deflate; client_no_context_takeover", offered, "not offered"},
		{"permessage-deflate; client_no_context_takeover;server_no_context_takeover", offered, "not offered"},
		{"permessage-deflate; server_max_window_bits=8", offered, "not offered"},
		{`permessage-deflate; server_max_window_bits="15"`, offered, "not offered"},
		{"", all, ""},
		{",", all, ""},
		{"permessage-deflate; server_max_window_bits", nil, "not offered"},
		{"permessage-deflate; server_max_window_bits=7", nil, "not offered"},
		{"permessage-deflate; server_max_window_bits=16", nil, "not offered"},
		{"permessage-deflate; server_max_window_bits=9; server_max_window_bits=9", nil, "not offered"},
		{"permessage-deflate; client_max_window_bits", nil, "not offered"},
		{"permessage-deflate; client_max_window_bits=15", offered, "not offered"},
		{"permessage-deflate; client_max_window_bits=8; server_max_window_bits=8", offered, "not offered"},
		{"permessage-deflate; client_max_window_bits=7", nil, "not offered"},
		{"permessage-deflate; client_max_window_bits=16", nil, "not offered"},
		{"permessage-deflate; client_max_window_bits=9; client_max_window_bits=9", nil, "not offered"},
		{"permessage-deflate; server_no_context_takeover=1", nil, "not offered"},
		{"permessage-deflate; server_no_context_takeover; server_no_context_takeover", nil, "not offered"},
		{"permessage-deflate; x", nil, "not offered"},
		{"PERMESSAGE-DEFLATE", nil, "not offered"},
		{"permessage-deflate, permessage-deflate", nil, "not offered"},
		{"permessage-deflate, x-other", nil, "not offered"},
		{"x-webkit-deflate-frame", nil, "not offered"},
		{"permessage-deflate;", nil, "malformed"},
		{"permessage-deflate server_no_context_takeover", nil, "malformed"},
		{"permessage-deflate; server_max_window_bits=\"9", nil, "malformed"},
	}
	inBubble(t, func(t *testing.T, n network) {
		for _, test := range tests {
			for offer, options := range map[string]*wsframework.CompressionOptions{plain: nil, independent: {}, takeover: {ContextTakeover: true}} {
				s := n.rawServe(t, func(p *rawPeer) {
					if got := p.request.Header.Get("Sec-WebSocket-Extensions"); got != offer {
						t.Errorf("offered %q, want %q", got, offer)
					}
					io.WriteString(p.c, p.answer("sec-websocket-extensions: "+test.answer))
					p.drain()
				})
				dialer := s.dialer()
				dialer.Compression = options
				c, err := wsframework.Connect(t.Context(), "ws://example.com/", dialer)
				switch right := slices.Contains(test.right, offer); {
				case right && err != nil:
					t.Errorf("%q to %q: %v", test.answer, offer, err)
				case right:
					if got := c.Header().Get("Sec-WebSocket-Extensions"); got != test.answer {
						t.Errorf("the header is %q, want %q", got, test.answer)
					}
					c.Close(0, "")
					c.ReadMessage(t.Context())
				case err == nil:
					t.Errorf("%q to %q is accepted", test.answer, offer)
				case !strings.Contains(err.Error(), test.says):
					t.Errorf("%q to %q: %v", test.answer, offer, err)
				}
				dialer.HTTPClient.CloseIdleConnections()
			}
		}
	})
}
