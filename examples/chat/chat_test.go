package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func logIn(b *wstest.Browser, name string) *wstest.Page {
	return b.PostForm("/login", url.Values{"name": {name}}).ExpectRedirect("/")
}

func joined(name string, online ...string) notice {
	return notice{Type: "joined", Name: name, Online: online}
}

func left(name string, online ...string) notice {
	return notice{Type: "left", Name: name, Online: online}
}

func TestTalk(t *testing.T) {
	app := newChat(wstest.NewSessions())
	annsBrowser, bobsBrowser := wstest.NewBrowser(t, app), wstest.NewBrowser(t, app)
	logIn(annsBrowser, "ann")
	logIn(bobsBrowser, "<b>bob")

	ann := annsBrowser.Dial("/websocket")
	ann.ExpectJSON(joined("ann", "ann"))
	bob := bobsBrowser.Dial("/websocket")
	bob.ExpectJSON(joined("<b>bob", "<b>bob", "ann"))
	ann.ExpectJSON(joined("<b>bob", "<b>bob", "ann"))

	bob.Write(" 你好\n<script>")
	for _, c := range []*wstest.Client{ann, bob} {
		c.ExpectMatch(`^<b>bob-\d{4}-\d\d-\d\d \d\d:\d\d:\d\d-说: 你好\n<script>$`)
	}

	// A second page of the same person is no news; each gets to know who is there.
	bobs2nd := bobsBrowser.Dial("/websocket")
	bobs2nd.ExpectJSON(joined("<b>bob", "<b>bob", "ann"))
	bobs2nd.Close(wsframework.CloseNormal, "")
	logIn(annsBrowser, "ann") // once more: the page of the session before is closed
	ann.ExpectClose(wsframework.CloseSessionEnded)
	bob.ExpectJSON(left("ann", "<b>bob"))
}

func TestRefusedMessages(t *testing.T) {
	ann := wstest.Dial(t, newChat(wstest.NewSessions()), "/websocket", wstest.User("ann"))
	ann.ExpectJSON(joined("ann", "ann"))

	for _, refused := range []struct {
		frame byte
		text  string
	}{
		{wstest.TextFrame, ""},
		{wstest.TextFrame, " \n\t\u3000"},
		{wstest.TextFrame, strings.Repeat("明", maxCharacters+1)},
		{wstest.BinaryFrame, "bytes"},
		{wstest.BinaryFrame, "\xff"},
	} {
		ann.WriteFrame(refused.frame, refused.text)
		var n notice
		if ann.ReceiveJSON(&n); n.Type != "error" || n.Text == "" {
			t.Errorf("%.20q is answered with %+v", refused.text, n)
		}
	}
	ann.Write(strings.Repeat("😀", maxCharacters))
	ann.ExpectMatch("^ann-")
	ann.Write(strings.Repeat("x", maxMessageSize+1))
	ann.ExpectClose(wsframework.CloseMessageTooBig)
}

func TestLogoutClosesSockets(t *testing.T) {
	app := newChat(wstest.NewSessions())
	annsBrowser, bobsBrowser := wstest.NewBrowser(t, app), wstest.NewBrowser(t, app)
	logIn(annsBrowser, "ann")
	logIn(bobsBrowser, "bob")
	bob := bobsBrowser.Dial("/websocket")
	bob.ExpectJSON(joined("bob", "bob"))
	ann, anns2nd := annsBrowser.Dial("/websocket"), annsBrowser.Dial("/websocket")
	ann.ExpectJSON(joined("ann", "ann", "bob"))
	anns2nd.ExpectJSON(joined("ann", "ann", "bob"))
	bob.ExpectJSON(joined("ann", "ann", "bob"))

	annsBrowser.PostForm("/logout", nil)
	ann.ExpectClose(wsframework.CloseSessionEnded)
	anns2nd.ExpectClose(wsframework.CloseSessionEnded)
	bob.ExpectJSON(left("ann", "bob"))
	annsBrowser.DialRefused("/websocket", http.StatusUnauthorized)
}
