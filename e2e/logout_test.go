package e2e

import (
	"testing"
	"time"

	"github.com/chromedp/cdproto/page"
)

// watchTimes makes pages remember when their socket has closed and when they have shown the login, where all tabs
// of a person can see it.
const watchTimes = `
	window.WebSocket = class extends WebSocket {
		constructor(...args) {
			super(...args);
			this.addEventListener("close", () => localStorage.setItem("closed", Date.now()));
		}
	};
	if (location.pathname === "/login") addEventListener("DOMContentLoaded", () => localStorage.setItem("login", Date.now()));`

// Who logs out in one tab sees the login in the others within a second.
func TestLogoutReachesOtherTabs(t *testing.T) {
	c := startChat(t, buildExample(t, "chat"))
	ann := newPerson(t, startBrowser(t), c)
	ann.logIn("ann")
	for range 2 {
		tab := ann.another()
		tab.do(command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchTimes}))
		tab.open("/")
		tab.waitConnected()
		eval[any](ann, `document.querySelector("#logout").addEventListener("submit", () => localStorage.setItem("submitted", Date.now())), null`)
		ann.click("#logout button")
		tab.waitFor("location.pathname", "/login")
		tab.waitFor(`localStorage.getItem("login") !== null`, true)
		tab.wantCloses(4401)
		for _, event := range []string{"closed", "login"} {
			took := time.Duration(eval[float64](tab, `localStorage.getItem("`+event+`") - localStorage.getItem("submitted")`)) * time.Millisecond
			t.Logf("%s after %v", event, took)
			if took < 0 || took > time.Second {
				t.Errorf("%s after %v", event, took)
			}
		}
		ann.waitFor("location.pathname", "/login")
		eval[any](ann, `localStorage.clear(), null`)
		tab.close()
		ann.logIn("ann again")
	}
}
