package main

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gotornado/gotornado/wsframework"
)

// A page is one open connection of a browser.
type page struct {
	t    *testing.T
	conn *websocket.Conn
}

func (b *browser) open() *page {
	b.t.Helper()
	conn, _, err := websocket.Dial(b.t.Context(), b.server+"/websocket", &websocket.DialOptions{HTTPClient: b.Client})
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { conn.CloseNow() })
	return &page{b.t, conn}
}

func (p *page) send(kind websocket.MessageType, text string) {
	p.t.Helper()
	if err := p.conn.Write(p.t.Context(), kind, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *page) read() (string, error) {
	ctx, cancel := context.WithTimeout(p.t.Context(), 10*time.Second)
	defer cancel()
	_, data, err := p.conn.Read(ctx)
	return string(data), err
}

func (p *page) next() string {
	p.t.Helper()
	text, err := p.read()
	if err != nil {
		p.t.Fatal(err)
	}
	return text
}

func (p *page) wantNotice(kind, name string, online ...string) {
	p.t.Helper()
	var n notice
	text := p.next()
	if err := json.Unmarshal([]byte(text), &n); err != nil || n.Type != kind || n.Name != name || !slices.Equal(n.Online, online) {
		p.t.Errorf("notice %s (%v), want %s %s, online %q", text, err, kind, name, online)
	}
}

func (p *page) wantClose(code websocket.StatusCode) {
	p.t.Helper()
	text, err := p.read()
	if got := websocket.CloseStatus(err); got != code {
		p.t.Errorf("got %q and close code %d (%v), want %d", text, got, err, code)
	}
}

func TestTalk(t *testing.T) {
	server := startChat(t)
	annsBrowser, bobsBrowser := newBrowser(t, server), newBrowser(t, server)
	annsBrowser.logIn("ann")
	bobsBrowser.logIn("<b>bob")

	ann := annsBrowser.open()
	ann.wantNotice("joined", "ann", "ann")
	bob := bobsBrowser.open()
	bob.wantNotice("joined", "<b>bob", "<b>bob", "ann")
	ann.wantNotice("joined", "<b>bob", "<b>bob", "ann")

	bob.send(websocket.MessageText, " 你好\n<script>")
	line := regexp.MustCompile(`^<b>bob-\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-说: 你好\n<script>$`)
	for _, p := range []*page{ann, bob} {
		if text := p.next(); !line.MatchString(text) {
			t.Errorf("line %q", text)
		}
	}

	// A second page of the same person is no news; each gets to know who is there.
	bobs2nd := bobsBrowser.open()
	bobs2nd.wantNotice("joined", "<b>bob", "<b>bob", "ann")
	bobs2nd.conn.Close(websocket.StatusNormalClosure, "")
	annsBrowser.logIn("ann") // once more: the page of the session before is closed
	ann.wantClose(wsframework.CloseSessionEnded)
	bob.wantNotice("left", "ann", "<b>bob")
}

func TestRefusedMessages(t *testing.T) {
	b := newBrowser(t, startChat(t))
	b.logIn("ann")
	ann := b.open()
	ann.wantNotice("joined", "ann", "ann")

	for _, refused := range []struct {
		kind websocket.MessageType
		text string
	}{
		{websocket.MessageText, ""},
		{websocket.MessageText, " \n\t\u3000"},
		{websocket.MessageText, strings.Repeat("明", maxCharacters+1)},
		{websocket.MessageBinary, "bytes"},
		{websocket.MessageBinary, "\xff"},
	} {
		ann.send(refused.kind, refused.text)
		var n notice
		if text := ann.next(); json.Unmarshal([]byte(text), &n) != nil || n.Type != "error" || n.Text == "" {
			t.Errorf("%.20q is answered with %q", refused.text, text)
		}
	}
	ann.send(websocket.MessageText, strings.Repeat("😀", maxCharacters))
	if text := ann.next(); !strings.HasPrefix(text, "ann-") {
		t.Errorf("the longest message is answered with %.80q", text)
	}
	ann.send(websocket.MessageText, strings.Repeat("x", maxMessageSize+1))
	ann.wantClose(websocket.StatusMessageTooBig)
}

func TestLogoutClosesSockets(t *testing.T) {
	server := startChat(t)
	annsBrowser, bobsBrowser := newBrowser(t, server), newBrowser(t, server)
	annsBrowser.logIn("ann")
	bobsBrowser.logIn("bob")
	bob := bobsBrowser.open()
	bob.wantNotice("joined", "bob", "bob")
	ann, anns2nd := annsBrowser.open(), annsBrowser.open()
	ann.wantNotice("joined", "ann", "ann", "bob")
	anns2nd.wantNotice("joined", "ann", "ann", "bob")
	bob.wantNotice("joined", "ann", "ann", "bob")

	annsBrowser.post("/logout", url.Values{})
	ann.wantClose(wsframework.CloseSessionEnded)
	anns2nd.wantClose(wsframework.CloseSessionEnded)
	bob.wantNotice("left", "ann", "bob")

	_, response, err := websocket.Dial(t.Context(), server+"/websocket", &websocket.DialOptions{HTTPClient: annsBrowser.Client})
	if err == nil || response == nil || response.StatusCode != http.StatusUnauthorized {
		t.Errorf("a handshake after the logout: %v", err)
	}
}
