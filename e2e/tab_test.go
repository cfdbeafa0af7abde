package e2e

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
	"github.com/gotornado/gotornado/internal/testtool"
)

// startBrowser returns the context of a browser, in which people get private windows of their own.
func startBrowser(t *testing.T) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(testtool.Need(t, "chromium", testtool.FindChromium)), // and a new profile folder each time
		chromedp.NoSandbox,
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.WSURLReadTimeout(patience),
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancel)
	browser, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return browser
}

// A tab is a page in which somebody looks at the chat.
type tab struct {
	t       *testing.T
	ctx     context.Context
	close   func()
	url     string      // of the server
	dialogs chan string // that scripts have opened
}

// watchCloses makes pages remember, until their tab is closed, how their sockets ended.
const watchCloses = `
	window.WebSocket = class extends WebSocket {
		constructor(...args) {
			super(...args);
			this.addEventListener("close", (event) => {
				const closes = JSON.parse(sessionStorage.getItem("closes") ?? "[]");
				sessionStorage.setItem("closes", JSON.stringify([...closes, event.code]));
			});
		}
	};`

// newPerson opens a private window with one tab, which shares nothing with others.
func newPerson(t *testing.T, browser context.Context, c *example) *tab {
	t.Helper()
	return newTab(t, browser, c.url(), chromedp.WithNewBrowserContext())
}

// another opens one more tab of the same person.
func (p *tab) another() *tab {
	p.t.Helper()
	return newTab(p.t, p.ctx, p.url)
}

func newTab(t *testing.T, parent context.Context, url string, options ...chromedp.ContextOption) *tab {
	t.Helper()
	p := &tab{t: t, url: url, dialogs: make(chan string, 10)}
	ctx, cancel := chromedp.NewContext(parent, append(options, chromedp.WithListener(func(event any) {
		if dialog, ok := event.(*page.EventJavascriptDialogOpening); ok {
			p.dialogs <- dialog.Message
		}
	}))...)
	t.Cleanup(cancel)
	p.ctx, p.close = ctx, cancel
	if err := chromedp.Do(ctx); err != nil { // without a time limit, which would be the tab's
		t.Fatalf("a tab does not open: %v", err)
	}
	p.do(
		// Several tabs have the focus at the same time.
		command(emulation.SetFocusEmulationEnabled, emulation.SetFocusEmulationEnabledParams{Enabled: true}),
		command(page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: watchCloses}),
		chromedp.EmulateViewport(1000, 700),
	)
	return p
}

// command makes an action of a command of the DevTools protocol.
func command[P, R any](c cdp.Command[P, R], params P) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		_, err := cdp.Call(ctx, t, c, params)
		return err
	})
}

// do acts as a person does.
func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.describe())
	}
}

func (p *tab) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.url + path))
}

func (p *tab) click(selector chromedp.CSS) {
	p.t.Helper()
	p.do(chromedp.Click(selector))
}

// write types into a field.
func (p *tab) write(selector chromedp.CSS, text string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(selector, text))
}

// press types where the focus is.
func (p *tab) press(keys string, modifiers ...chromedp.Modifier) {
	p.t.Helper()
	p.do(chromedp.KeyEvent(keys, chromedp.KeyModifiers(modifiers...)))
}

// enter presses the Enter key. (chromedp's own comes in two parts, of which a page can prevent only one.)
func (p *tab) enter(modifiers int64) {
	p.t.Helper()
	key := input.DispatchKeyEventParams{
		Type:                  input.DispatchKeyEventTypeKeyDown,
		Key:                   "Enter",
		Code:                  "Enter",
		Text:                  "\r",
		WindowsVirtualKeyCode: 13,
		Modifiers:             modifiers,
	}
	up := key
	up.Type, up.Text = input.DispatchKeyEventTypeKeyUp, ""
	p.do(command(input.DispatchKeyEvent, key), command(input.DispatchKeyEvent, up))
}

// eval returns the value of a JavaScript expression.
func eval[T any](p *tab, js string) T {
	p.t.Helper()
	value, err := tryEval[T](p, js)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, p.describe())
	}
	return value
}

func tryEval[T any](p *tab, js string) (T, error) {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](js))
}

func (p *tab) insert(text string) {
	p.t.Helper()
	p.do(
		chromedp.Focus(chromedp.CSS("#text")),
		command(input.InsertText, input.InsertTextParams{Text: text}),
	)
}

// waitFor waits until a JavaScript expression has a value. Pages come and go meanwhile.
func (p *tab) waitFor(js string, want any) {
	p.t.Helper()
	p.waitUntil(fmt.Sprintf("%s is %v", js, want), func() (string, bool) {
		got, err := tryEval[any](p, js)
		if err != nil {
			return err.Error(), false
		}
		return fmt.Sprint(got), fmt.Sprint(got) == fmt.Sprint(want)
	})
}

func (p *tab) waitUntil(what string, condition func() (seen string, done bool)) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	overdue := time.After(patience)
	for {
		seen, done := condition()
		if done {
			return
		}
		select {
		case <-tick.C:
		case message := <-p.dialogs:
			p.t.Fatalf("a script ran and opened a dialog: %s", message)
		case <-overdue:
			p.t.Fatalf("waited in vain until %s; last seen: %s\n%s", what, seen, p.describe())
		}
	}
}

// describe tells what is on the page, for failures.
func (p *tab) describe() string {
	text, err := tryEval[string](p, `location.href + "\n" + document.body.innerText`)
	if err != nil {
		return "(the page does not answer)"
	}
	return text
}

// wantCloses checks with which codes the sockets of this tab have ended.
func (p *tab) wantCloses(want ...int) {
	p.t.Helper()
	got := eval[[]int](p, `JSON.parse(sessionStorage.getItem("closes") ?? "[]")`)
	if !slices.Equal(got, want) {
		p.t.Errorf("the sockets ended with %v, want %v", got, want)
	}
}

// wantNoDialog checks that no script has opened one.
func (p *tab) wantNoDialog() {
	p.t.Helper()
	select {
	case message := <-p.dialogs:
		p.t.Errorf("a script ran and opened a dialog: %s", message)
	default:
	}
}
