package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// say puts a message into the field, as pasting and input methods do, and sends it with the button.
func (p *tab) say(text string) {
	p.t.Helper()
	p.insert(text)
	p.click("#send")
}

// logIn comes from the start page, fills the form, and waits for the chat to be connected.
func (p *tab) logIn(name string) {
	p.t.Helper()
	p.open("/")
	p.waitFor("location.pathname", "/login")
	p.write("#name", name)
	p.click("#login")
	p.waitConnected()
}

func (p *tab) waitConnected() {
	p.t.Helper()
	p.waitFor(`location.pathname + document.querySelector("#status")?.innerText`, "/Connected")
	// The handler's Open has run when the list of people is there: then nothing is missed any more.
	p.waitFor(`document.querySelector("#online")?.ariaBusy`, "false")
}

// A row is what stands in the chat: a message, or a notice that has only a text.
type row struct{ Name, Text string }

// rowsJS collects the rows, by the elements that hold their parts.
const rowsJS = `[...document.querySelectorAll("#messages > li")].map((li) => li.matches(".notice")
	? {Name: "", Text: li.textContent}
	: {Name: li.querySelector(".meta .name").textContent, Text: li.querySelector("p.text").textContent})`

// waitRows waits for the last rows of the chat.
func (p *tab) waitRows(want ...row) {
	p.t.Helper()
	p.waitUntil(fmt.Sprintf("the chat ends with %q", want), func() (string, bool) {
		got, err := tryEval[[]row](p, rowsJS)
		if err != nil {
			return err.Error(), false
		}
		if len(got) > len(want) {
			got = got[len(got)-len(want):]
		}
		return fmt.Sprintf("%q", got), slices.Equal(got, want)
	})
}

// waitOnline waits for the list of people, with "(you)" behind one of them.
func (p *tab) waitOnline(want ...string) {
	p.t.Helper()
	p.waitFor(`[document.querySelector("#count").textContent,
		...[...document.querySelectorAll("#online > li")].map((li) => li.textContent)].join("|")`,
		strings.Join(append([]string{fmt.Sprint(len(want))}, want...), "|"))
}

// The chat in a real browser, each scene with a server of its own.
func TestChat(t *testing.T) {
	browser := startBrowser(t)
	program := buildExample(t, "chat")
	for _, scene := range []struct {
		name string
		play func(t *testing.T, c *example, newPerson func(*testing.T) *tab)
	}{
		{"talk", talk},
		{"markup", markup},
		{"refusals", refusals},
		{"logout", logout},
		{"restart", restart},
		{"keyboard", keyboard},
		{"phone", phone},
		{"screenshot", screenshot},
	} {
		t.Run(scene.name, func(t *testing.T) {
			c := startChat(t, program)
			scene.play(t, c, func(t *testing.T) *tab { return newPerson(t, browser, c) })
		})
	}
}

func talk(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	ann, bob := newPerson(t), newPerson(t)
	ann.logIn("ann")
	ann.waitOnline("ann (you)")
	bob.logIn("小明 Bob")
	ann.waitRows(row{"", "小明 Bob joined"})
	ann.waitOnline("ann (you)", "小明 Bob")
	bob.waitOnline("ann", "小明 Bob (you)")

	before := time.Now().Truncate(time.Second)
	bob.write("#text", "hello, 你好-说:👋")
	bob.click("#send")
	bobs := row{"小明 Bob", "hello, 你好-说:👋"}
	ann.waitRows(row{"", "小明 Bob joined"}, bobs)
	bob.waitRows(bobs)
	ann.say("hi Bob")
	anns := row{"ann", "hi Bob"}
	ann.waitRows(bobs, anns)
	bob.waitRows(bobs, anns)

	for _, p := range []*tab{ann, bob} {
		stamp := eval[string](p, `document.querySelector(".message time").dateTime`)
		shown := eval[string](p, `document.querySelector(".message time").textContent`)
		at, err := time.ParseInLocation("2006-01-02T15:04:05", stamp, time.Local)
		if err != nil || at.Before(before) || at.After(time.Now()) || shown != at.Format("15:04") {
			t.Errorf("the time is %q, shown as %q (%v)", stamp, shown, err)
		}
		mine := eval[[]string](p, `[...document.querySelectorAll(".message.mine .text")].map((e) => e.textContent)`)
		if want := map[*tab]string{ann: anns.Text, bob: bobs.Text}[p]; !slices.Equal(mine, []string{want}) {
			t.Errorf("marked as one's own: %q, want %q", mine, want)
		}
		p.waitFor(`document.querySelector("#text").value`, "")
	}

	bob.close()
	ann.waitRows(anns, row{"", "小明 Bob left"})
	ann.waitOnline("ann (you)")
	ann.wantCloses()
}

// What people type is shown letter by letter, whatever it is.
func markup(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	const bad = "<img src=x onerror=alert(1)>"
	ann, bad1 := newPerson(t), newPerson(t)
	ann.logIn("ann")
	bad1.logIn(bad)
	rows := []row{{"", bad + " joined"}}
	ann.waitRows(rows...)
	for _, text := range []string{
		bad,
		"</p></li><script>alert(2)</script>",
		`"><svg/onload=alert(3)> &lt;b&gt; ${alert(4)}`,
		`{"type":"left","name":"ann","online":[]}`,
		"javascript:alert(5)",
	} {
		bad1.say(text)
		rows = append(rows, row{bad, text})
		ann.waitRows(rows...)
	}
	bad1.waitRows(rows[1:]...)
	ann.waitOnline(bad, "ann (you)")
	bad1.waitOnline(bad+" (you)", "ann")

	for _, p := range []*tab{ann, bad1} {
		elements := eval[[]string](p, `[...document.querySelectorAll("main *, .bar *")].map((e) => e.localName)
			.filter((name) => !["section", "h1", "h2", "div", "ol", "ul", "li", "p", "bdi", "time", "span", "button", "form"].includes(name))`)
		if len(elements) > 0 {
			t.Errorf("elements that nobody wrote: %q", elements)
		}
		p.wantNoDialog()
	}
	shown := eval[string](bad1, `document.querySelector(".me bdi").textContent`)
	user := eval[string](bad1, `document.body.dataset.user`)
	if shown != bad || user != bad {
		t.Errorf("the name is shown as %q and known as %q", shown, user)
	}

	// On the login page, too, where a name that is refused stands in the field again.
	refused := newPerson(t)
	refused.open("/login")
	long := `"><script>alert(6)</script>` + bad
	refused.write("#name", long)
	refused.click("#login")
	refused.waitFor(`document.querySelector("#problem")?.innerText ?? ""`, "This name is too long: up to 32 characters are possible.")
	refused.waitFor(`document.querySelector("#name").value`, long)
	refused.waitFor(`document.scripts.length + document.images.length`, 0)
	refused.wantNoDialog()
}

// Names and messages that can't be are answered in words, and what was written is not lost.
func refusals(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	ann := newPerson(t)
	ann.open("/login")
	ann.click("#login")
	ann.waitFor(`document.querySelector("#problem")?.innerText ?? ""`, "Please enter a name.")
	ann.logIn("ann")

	hint := `document.querySelector("#hint").innerText`
	ann.click("#send")
	ann.waitFor(hint, "Write something first.")
	ann.write("#text", "   ")
	ann.waitFor(hint, "")
	ann.click("#send")
	ann.waitFor(hint, "Write something first.")

	// The field takes no more than 2000 characters of what is typed or pasted.
	ann.insert(strings.Repeat("长", 2001))
	ann.waitFor(`document.querySelector("#text").value.length`, 2000)
	ann.click("#send")
	ann.waitRows(row{"ann", strings.Repeat("长", 2000)})

	// A page that knows no limit is told by the server, and gives the text back.
	eval[string](ann, `document.querySelector("#text").value = "x".repeat(2001)`)
	ann.click("#send")
	ann.waitFor(hint, "The message has 2001 characters; up to 2000 are possible.")
	ann.waitFor(`document.querySelector("#text").value.length`, 2001)
	ann.wantCloses()

	// Far too much is not even read; the page connects again, with the text.
	eval[string](ann, `document.querySelector("#text").value = "x".repeat(100_000)`)
	ann.click("#send")
	ann.waitFor(`sessionStorage.getItem("closes")`, "[1009]")
	ann.waitConnected()
	ann.waitFor(`document.querySelector("#text").value.length`, 100_000)
	eval[string](ann, `document.querySelector("#text").value = ""`)
	ann.say("short")
	ann.waitRows(row{"ann", strings.Repeat("长", 2000)}, row{"ann", "short"})
}

// Who logs out in one tab is logged out in all of them.
func logout(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	ann, bob := newPerson(t), newPerson(t)
	bob.logIn("bob")
	ann.logIn("ann")
	anns2nd := ann.another()
	anns2nd.open("/")
	anns2nd.waitConnected()
	ann.say("bye")
	anns2nd.waitRows(row{"ann", "bye"})
	bob.waitRows(row{"", "ann joined"}, row{"ann", "bye"})

	ann.click("#logout button")
	ann.waitFor("location.pathname", "/login")
	anns2nd.waitFor("location.pathname", "/login")
	anns2nd.wantCloses(4401) // the first tab may be on its way before it hears of it
	bob.waitRows(row{"ann", "bye"}, row{"", "ann left"})
	bob.waitOnline("bob (you)")
	bob.wantCloses()

	anns2nd.open("/")
	anns2nd.waitFor("location.pathname", "/login")
	anns2nd.logIn("ann again")
	bob.waitRows(row{"", "ann left"}, row{"", "ann again joined"})
}

// The server goes and comes back; nobody has to do anything.
func restart(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	ann, bob := newPerson(t), newPerson(t)
	ann.logIn("ann")
	bob.logIn("bob")
	ann.waitRows(row{"", "bob joined"})
	bob.write("#text", "half a mess")

	c.stop()
	status := `document.querySelector("#status-text").innerText`
	for _, p := range []*tab{ann, bob} {
		p.waitFor(status+`.endsWith("Trying again")`, true)
		p.waitFor(`document.body.classList.contains("offline")`, true)
		p.waitFor(`document.querySelector("#send").disabled`, true)
	}
	// What is written meanwhile stays.
	bob.do(chromedp.Focus(chromedp.CSS("#text")))
	bob.press("age")
	bob.enter(0)
	bob.waitFor(`document.querySelector("#hint").innerText`, "Not connected. Your message stays here until you can send it.")
	// That it was not the first attempt that brings them back: one has failed since.
	ann.waitFor(status, "No connection to the server. Trying again")

	c.start()
	for _, p := range []*tab{ann, bob} {
		p.waitConnected()
		p.waitFor(`document.querySelector("#retry").hidden`, true)
	}
	ann.waitOnline("ann (you)", "bob")
	bob.waitOnline("ann", "bob (you)")
	bob.waitFor(`document.querySelector("#text").value`, "half a message")
	bob.click("#send")
	ann.say("here again")
	for _, p := range []*tab{ann, bob} {
		p.waitUntil("both messages are there", func() (string, bool) {
			got, err := tryEval[[]row](p, rowsJS)
			if err != nil {
				return err.Error(), false
			}
			return fmt.Sprintf("%q", got), slices.Contains(got, row{"bob", "half a message"}) && slices.Contains(got, row{"ann", "here again"})
		})
		p.waitFor(`JSON.parse(sessionStorage.getItem("closes"))[0]`, 1001)
	}
}

// Everything can be done with the keyboard alone.
func keyboard(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	ann, bob := newPerson(t), newPerson(t)
	bob.logIn("bob")

	focus := `document.activeElement.id || document.activeElement.innerText`
	ann.open("/")
	ann.waitFor(focus, "name")
	ann.press("ann")
	ann.enter(0)
	ann.waitConnected()
	ann.waitFor(focus, "text")

	ann.press("two")
	ann.enter(int64(chromedp.ModifierShift))
	ann.press("lines")
	ann.enter(0)
	ann.waitRows(row{"ann", "two\nlines"})
	bob.waitRows(row{"", "ann joined"}, row{"ann", "two\nlines"})
	ann.waitFor(focus, "text")
	ann.press("and one more")
	ann.enter(0)
	bob.waitRows(row{"ann", "two\nlines"}, row{"ann", "and one more"})

	for _, next := range []struct{ name, focused string }{
		{"Shift+Tab", "log"}, // the messages can be scrolled
		{"Shift+Tab", "Log out"},
		{"Tab", "log"},
		{"Tab", "text"},
		{"Tab", "send"},
	} {
		if next.name == "Tab" {
			ann.press(kb.Tab)
		} else {
			ann.press(kb.Tab, chromedp.ModifierShift)
		}
		ann.waitFor(focus, next.focused)
		ann.waitFor(`getComputedStyle(document.activeElement).outlineStyle`, "solid")
	}
	for range 3 {
		ann.press(kb.Tab, chromedp.ModifierShift)
	}
	ann.waitFor(focus, "Log out")
	ann.enter(0)
	ann.waitFor("location.pathname", "/login")
	bob.waitRows(row{"", "ann left"})
}

// On a small screen nothing is cut off and nothing has to be moved sideways.
func phone(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	ann, bob := newPerson(t), newPerson(t)
	ann.do(chromedp.EmulateViewport(360, 640, chromedp.EmulateMobile, chromedp.EmulateTouch))
	bob.logIn("A name of thirty-two characters.")
	ann.open("/login")
	fits := `document.documentElement.scrollHeight <= innerHeight && [document.documentElement, document.querySelector("#log")]
		.every((e) => !e || e.scrollWidth <= e.clientWidth)`
	ann.waitFor(fits, true)
	ann.logIn(strings.Repeat("明", 32))
	bob.say("a word " + strings.Repeat("that_goes_on_", 40))
	for range 10 {
		ann.say("one of several messages")
	}
	ann.waitFor(`document.querySelectorAll(".message").length`, 11)
	ann.waitFor(fits, true)

	inView := `["#send", "#text", "#logout button", "#messages > li:last-child", "#status"].filter((selector) => {
		const r = document.querySelector(selector).getBoundingClientRect();
		return r.width === 0 || r.left < 0 || r.top < 0 || r.right > innerWidth || r.bottom > innerHeight;
	}).join(" ")`
	ann.waitFor(inView, "")
	c.stop()
	ann.waitFor(`document.body.classList.contains("offline")`, true)
	ann.waitFor(fits, true)
	ann.waitFor(inView, "")
}

// screenshot takes the picture for the README, if that is wanted.
func screenshot(t *testing.T, c *example, newPerson func(*testing.T) *tab) {
	ann, ming := newPerson(t), newPerson(t)
	if os.Getenv("UPDATE_SCREENSHOT") == "1" {
		ann.do(chromedp.EmulateViewport(1000, 700, chromedp.EmulateScale(2)))
	}
	ann.logIn("Ann")
	ming.logIn("小明")
	ann.waitRows(row{"", "小明 joined"})
	var last []row
	for _, line := range []struct {
		who  *tab
		name string
		text string
	}{
		{ann, "Ann", "Good morning! Is the new release running on your side?"},
		{ming, "小明", "早上好 Ann! It is. I restarted the server twice, and this page came back by itself."},
		{ann, "Ann", "And the handler?"},
		{ming, "小明", "Open, OnMessage and OnClose. Leaving the group needs no code."},
		{ann, "Ann", "Does <b>markup</b> show as text?"},
		{ming, "小明", "Letter by letter. 中午一起吃饭吗？"},
	} {
		line.who.insert(line.text)
		line.who.enter(0)
		last = append(last, row{line.name, line.text})
		ann.waitRows(last...)
	}
	if os.Getenv("UPDATE_SCREENSHOT") != "1" {
		return
	}
	ann.insert("好的! I'll bring the dumplings")
	picture, err := chromedp.Run(ann.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("..", "docs", "chat.png"), picture, 0o644); err != nil {
		t.Fatal(err)
	}
}
