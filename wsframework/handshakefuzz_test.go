package wsframework

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// grammar is Sec-WebSocket-Extensions as RFC 6455, 9.1 has it, of one element and of a parameter.
var (
	elementGrammar = regexp.MustCompile(`^[ \t]*(` + tokenGrammar + `)((?:` + paramGrammar + `)*)[ \t]*$`)
	paramsGrammar  = regexp.MustCompile(`[ \t]*;[ \t]*(` + tokenGrammar + `)(?:[ \t]*(=)[ \t]*(` + tokenGrammar + `|"(?:[^"\\]|\\.)*"))?`)
	tokenOnly      = regexp.MustCompile(`^` + tokenGrammar + `$`)
	listGrammar    = regexp.MustCompile(`(?:[^",]|"(?:[^"\\]|\\.)*")+`)
)

const (
	tokenGrammar = "[-!#$%&'*+.^_`|~0-9A-Za-z]+"
	paramGrammar = `[ \t]*;[ \t]*` + tokenGrammar + `(?:[ \t]*=[ \t]*(?:` + tokenGrammar + `|"(?:[^"\\]|\\.)*"))?`
)

// slowExtensions is parseExtensions by regular expressions.
func slowExtensions(header string) (list []extension, ok bool) {
	if strings.Trim(listGrammar.ReplaceAllString(header, ""), ",") != "" {
		return nil, false
	}
	for _, element := range listGrammar.FindAllString(header, -1) {
		if strings.Trim(element, " \t") == "" {
			continue
		}
		parts := elementGrammar.FindStringSubmatch(element)
		if parts == nil {
			return nil, false
		}
		e := extension{name: parts[1]}
		for _, p := range paramsGrammar.FindAllStringSubmatch(parts[2], -1) {
			value := p[3]
			if quoted, ok := strings.CutPrefix(value, `"`); ok {
				value = regexp.MustCompile(`(?s)\\(.)`).ReplaceAllString(quoted[:len(quoted)-1], "$1")
				if !tokenOnly.MatchString(value) {
					return nil, false
				}
			}
			e.params = append(e.params, extensionParam{p[1], value, p[2] != ""})
		}
		list = append(list, e)
	}
	return list, true
}

// Whatever a client offers, the answer is one that it has to understand.
func FuzzDeflateOffer(f *testing.F) {
	for _, offer := range []string{
		"permessage-deflate", "permessage-deflate; client_max_window_bits", `permessage-deflate; server_max_window_bits="1\0"`,
		"permessage-deflate; server_no_context_takeover; client_no_context_takeover", "a; b=c, permessage-deflate;server_max_window_bits=08,permessage-deflate",
		"permessage-deflate; server_max_window_bits=9; client_max_window_bits=15, x", ",, a ,", `a; b="\"", c`, `a; b="c,d"`, "a;;b", "a b", `"`, "é",
	} {
		f.Add(offer)
	}
	f.Fuzz(func(t *testing.T, offer string) {
		if strings.ContainsAny(offer, "\r\n\x00") {
			return // no header
		}
		list, ok := parseExtensions([]string{offer})
		slow, slowOK := slowExtensions(offer)
		if ok != slowOK || !slices.EqualFunc(list, slow, func(a, b extension) bool {
			return a.name == b.name && slices.Equal(a.params, b.params)
		}) {
			t.Fatalf("%q is %+v (%t), want %+v (%t)", offer, list, ok, slow, slowOK)
		}
		for _, options := range []*CompressionOptions{nil, {}, {ContextTakeover: true}} {
			terms := chooseDeflate(list, options)
			if !terms.on {
				if terms != (deflateTerms{}) {
					t.Fatalf("%q: %+v", offer, terms)
				}
				continue
			}
			answer, err := acceptedDeflate([]string{terms.String()}, true)
			if err != nil || answer != terms || !strings.Contains(offer, "permessage-deflate") ||
				terms.clientNoTakeover && !strings.Contains(offer, "client_no_context_takeover") ||
				terms.serverBits > 0 && !strings.Contains(offer, "server_max_window_bits") ||
				!options.ContextTakeover && !terms.serverNoTakeover {
				t.Fatalf("%q is answered with %q (%v)", offer, terms, err)
			}
		}
		// A client takes the same for an answer, or refuses it, but never anything between.
		if terms, err := acceptedDeflate([]string{offer}, true); err != nil && terms.on || err == nil && len(list) > 1 {
			t.Fatalf("%q is taken for %+v (%v)", offer, terms, err)
		}
	})
}

// A hijackedRecorder is the writer of a request in memory.
type hijackedRecorder struct {
	*httptest.ResponseRecorder
	server, client net.Conn
}

func (h *hijackedRecorder) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	if h.server == nil {
		h.server, h.client = net.Pipe()
	}
	return h.server, bufio.NewReadWriter(bufio.NewReader(h.server), bufio.NewWriter(h.server)), nil
}

type fuzzedHandler struct{ hotHandler }

func (h *fuzzedHandler) SelectSubprotocol(offered []string) string {
	if len(offered) > 0 {
		return offered[0]
	}
	return ""
}

// judgeRequest is RFC 6455, 4.2.1, once more: the status that a request has to get.
func judgeRequest(r *http.Request) int {
	one := func(name string) string {
		if values := r.Header[name]; len(values) == 1 {
			return values[0]
		}
		return ""
	}
	lists := func(name, want string) bool {
		return slices.ContainsFunc(strings.Split(strings.Join(r.Header[name], ","), ","), func(s string) bool {
			return strings.ToLower(strings.Trim(s, " \t")) == want
		})
	}
	key, err := base64.StdEncoding.DecodeString(strings.TrimSpace(one("Sec-Websocket-Key")))
	tokens := true
	for _, s := range strings.Split(strings.Join(r.Header["Sec-Websocket-Protocol"], ","), ",") {
		s = strings.TrimSpace(s)
		tokens = tokens && (s == "" || tokenOnly.MatchString(s))
	}
	for _, s := range r.Header["Sec-Websocket-Extensions"] {
		_, ok := slowExtensions(s)
		tokens = tokens && ok
	}
	switch {
	case r.Method != "GET":
		return 405
	case r.ProtoMajor != 1 || r.ProtoMinor < 1, !lists("Upgrade", "websocket"), !lists("Connection", "upgrade"), len(r.Header["Sec-Websocket-Version"]) > 1:
		return 400
	case one("Sec-Websocket-Version") != "13":
		return 426
	case err != nil, len(key) != 16, r.ContentLength != 0, len(r.TransferEncoding) > 0, !tokens:
		return 400
	case len(r.Header["Origin"]) > 1:
		return 403
	case len(r.Header["Origin"]) == 1:
		if origin := r.Header["Origin"][0]; !strings.EqualFold(origin, "http://"+r.Host) && !strings.EqualFold(origin, "https://"+r.Host) {
			return 403
		}
	}
	return 101
}

// Whatever is asked, the answer has the right status, and nothing of the request is in it but the token
// that a handler has chosen.
func FuzzHandshake(f *testing.F) {
	const good = "GET /ws HTTP/1.1\r\nHost: example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	for _, more := range []string{
		"", "Sec-WebSocket-Protocol: chat, superchat\r\n", "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n",
		"Origin: http://example.com\r\n", "Origin: https://evil.example\r\n", "Content-Length: 1\r\n", "Sec-WebSocket-Version: 8\r\n",
		"Sec-WebSocket-Protocol: <script>\r\n", "Sec-WebSocket-Extensions: ;\r\n", "Transfer-Encoding: chunked\r\n", "Sec-WebSocket-Key: x\r\n",
	} {
		f.Add([]byte(good + more + "\r\n"))
	}
	f.Add([]byte("POST / HTTP/1.1\r\nHost: <b>\r\n\r\n"))
	f.Add([]byte("GET / HTTP/1.0\r\n\r\n"))
	f.Add([]byte("PRI * HTTP/2.0\r\n\r\n"))
	f.Add([]byte(strings.NewReplacer("Upgrade: websocket", "uPGRADE:  h2c ,\tWEBSOCKET", "Connection: ", "Connection: close\r\nCONNECTION: keep-alive, ").Replace(good) + "\r\n"))
	app := NewApplication(Settings{AccessLogger: silent, Logger: silent, Compression: &CompressionOptions{}})
	endpoint := app.Upgrade(func() Handler { return new(fuzzedHandler) })
	f.Fuzz(func(t *testing.T, request []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			return // net/http refuses it
		}
		w := &hijackedRecorder{ResponseRecorder: httptest.NewRecorder()}
		endpoint.ServeHTTP(w, r)
		if w.client != nil {
			w.client.Close()
		}
		answer, want := w.Result(), judgeRequest(r)
		origin := len(r.Header["Origin"]) == 1 // whose own rules are tested elsewhere
		if answer.StatusCode != want && !(origin && want+answer.StatusCode == 101+403) {
			t.Fatalf("%q: %d, want %d: %s", request, answer.StatusCode, want, w.Body)
		}
		if protocol := answer.Header.Get("Sec-Websocket-Protocol"); protocol != "" && !isToken(protocol) {
			t.Fatalf("%q: the subprotocol %q", request, protocol)
		}
		for name, values := range answer.Header {
			switch {
			case slices.Contains([]string{"Upgrade", "Connection", "Sec-Websocket-Accept", "Sec-Websocket-Version", "Sec-Websocket-Protocol", "Sec-Websocket-Extensions", "Content-Type", "X-Content-Type-Options", "Allow"}, name) && len(values) == 1:
			default:
				t.Fatalf("%q: the answer has %s: %q", request, name, values)
			}
		}
		body := strings.Replace(w.Body.String(), r.Proto, "", 1)
		if strings.ContainsAny(body, "<>&\x00") || len(body) > 200 || want == 101 && answer.StatusCode == 101 && body != "" {
			t.Fatalf("%q: %q", request, body)
		}
	})
}
