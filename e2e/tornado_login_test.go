package e2e

import (
	"log/slog"
	"testing"
	"testing/fstest"

	"github.com/chromedp/chromedp"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A portedHandler belongs to an application that moves from Tornado, which still does the login.
type portedHandler struct{ wsframework.BaseHandler }

func (h *portedHandler) GetCurrentUser() (any, error) {
	if name, ok := h.GetSignedCookie("user"); ok {
		return name, nil
	}
	return nil, nil
}

func (h *portedHandler) Open() error { return h.WriteText("hello " + h.CurrentUser().(string)) }

func (h *portedHandler) OnMessage(m wsframework.Message) error { return h.WriteMessage(m) }

type portedPage struct{ wsframework.RequestHandler }

func (p *portedPage) GetCurrentUser() (any, error) {
	if name, ok := p.GetSignedCookie("user"); ok {
		return name, nil
	}
	return nil, nil
}

func (p *portedPage) Get() error { return p.Render("ported.html", nil) }
func (p *portedPage) Post() error {
	_, err := p.WriteString("posted by " + p.CurrentUser().(string))
	return err
}

var portedFiles = fstest.MapFS{"ported.html": {Data: []byte(`<!DOCTYPE html><title>Ported</title>
<p id="user">{{current_user}}</p><p id="socket"></p><p id="script"></p>
<form method="post">{{xsrf_form_html}}<button id="post">Post</button></form>
<script>
	const show = (id, text) => { document.getElementById(id).textContent = text; };
	new WebSocket("ws://" + location.host + "/ws").onmessage = (event) => show("socket", event.data);
	const token = document.cookie.match(/(?:^|; )_xsrf="?([^";]*)/)[1]; // that of Tornado
	fetch("/", {method: "POST", headers: {"X-XSRFToken": token}})
		.then((response) => response.text()).then((text) => show("script", text));
</script>`)}}

// Somebody logs in at a Tornado, and is known here: cookies do not know ports.
func TestLoginAtTornado(t *testing.T) {
	browser := startBrowser(t)
	secrets := map[int][]byte{0: secretA, 3: secretB}
	tornado := startTornado(t, secrets, 3)
	log := wstest.NewLog(t)
	app := wsframework.NewApplication(wsframework.Settings{
		CookieSecrets: secrets, CookieKeyVersion: 3, XSRFCookies: true,
		LoginURL:  tornado.url + "/login",
		Templates: portedFiles,
		Logger:    log.Logger(slog.LevelWarn), AccessLogger: slog.New(slog.DiscardHandler),
	})
	app.Page("/{$}", func() wsframework.Page { return new(portedPage) }, wsframework.Authenticated())
	app.WebSocket("/ws", func() wsframework.Handler { return new(portedHandler) }, wsframework.Authenticated())
	url := wstest.Serve(t, app, wstest.TCP())

	p := newTab(t, browser, url, chromedp.WithNewBrowserContext())
	p.open("/")
	p.waitFor("location.origin + location.pathname", tornado.url+"/login")
	p.write("#name", "小明 | Bob")
	p.click("#login")
	p.waitFor("location.origin + location.pathname", url+"/")
	p.waitFor(`document.querySelector("#user").textContent`, "小明 | Bob")
	p.waitFor(`document.querySelector("#socket").textContent`, "hello 小明 | Bob")
	p.waitFor(`document.querySelector("#script").textContent`, "posted by 小明 | Bob")
	p.click("#post")
	p.waitFor("document.body.innerText", "posted by 小明 | Bob")
	log.ExpectNothing()
}
