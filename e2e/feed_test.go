package e2e

import "testing"

// The feed in a real browser: what one posts, others see at once, and who comes later sees on the page.
func TestFeed(t *testing.T) {
	browser := startBrowser(t)
	c := startExample(t, buildExample(t, "feed"))
	ann, bob := newPerson(t, browser, c), newPerson(t, browser, c)
	for _, p := range []*tab{ann, bob} {
		p.open("/")
		p.waitFor(`document.querySelector("#status").textContent`, "Live")
	}
	const shown = `[...document.querySelectorAll("#posts .post p")].map((e) => e.textContent).join("|")`

	ann.post("hello")
	bob.waitFor(shown, "hello")
	ann.waitFor(`document.querySelector("#text").value`, "")
	bob.post("<img src=x onerror=alert(1)>")
	for _, p := range []*tab{ann, bob} {
		p.waitFor(shown, "<img src=x onerror=alert(1)>|hello") // the newest on top
		p.waitFor(`document.images.length`, 0)
	}
	ann.post("   ")
	ann.waitFor(`document.querySelector("#hint").textContent`, "There is nothing to post.")

	late := newPerson(t, browser, c)
	late.open("/")
	late.waitFor(shown, "<img src=x onerror=alert(1)>|hello")

	// A page that was away catches up by itself; the server's posts are gone with it, new ones come.
	c.stop()
	ann.waitFor(`document.querySelector("#send").disabled`, true)
	c.start()
	ann.waitFor(`document.querySelector("#status").textContent`, "Live")
	for _, p := range []*tab{ann, bob, late} {
		p.wantNoDialog()
	}
}

// post writes a post and presses the button.
func (p *tab) post(text string) {
	p.t.Helper()
	p.write("#text", text)
	p.click("#send")
}
