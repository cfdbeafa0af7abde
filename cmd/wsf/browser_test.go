package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/gotornado/gotornado/internal/testtool"
)

// A tab is a page in which somebody looks at a project.
type tab struct {
	t   *testing.T
	ctx context.Context
}

func openTab(t *testing.T) *tab {
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
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("the browser does not start: %v", err)
	}
	return &tab{t, ctx}
}

// do acts as a person does.
func (p *tab) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, patience)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		p.t.Fatalf("%v\n%s", err, p.see(`document.body.innerText`))
	}
}

// see returns the value of a JavaScript expression as text.
func (p *tab) see(js string) string {
	ctx, cancel := context.WithTimeout(p.ctx, 5*time.Second)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[any](js))
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(value)
}

// waitFor waits until a JavaScript expression has a value. Pages come and go meanwhile.
func (p *tab) waitFor(js, want string) {
	p.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	overdue := time.After(patience)
	for {
		seen := p.see(js)
		if seen == want {
			return
		}
		select {
		case <-tick.C:
		case <-overdue:
			p.t.Fatalf("waited in vain until %s is %q; last seen: %q\n%s", js, want, seen, p.see(`document.body.innerText`))
		}
	}
}

// A person logs in, says something and sees it, also with the handlers that were added.
func TestInBrowser(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "app")
	wsf(t, "new", folder)
	wsf(t, "handler", "Echo", "-dir", folder)
	wsf(t, "handler", "Sums", "-kind", "rpc", "-dir", folder)
	wsf(t, "handler", "Clock", "-kind", "ticker", "-dir", folder)
	wsf(t, "handler", "Events", "-kind", "stream", "-authenticated", "-dir", folder)
	page := filepath.Join(folder, "templates", "chat.html")
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	const parts = `{{template "echo.html" .}}{{template "sums.html" .}}{{template "clock.html" .}}{{template "events.html" .}}</main>`
	if err := os.WriteFile(page, []byte(strings.Replace(string(text), "</main>", parts, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "app")
	execute(t, folder, true, "go", "build", "-o", program, ".")
	s := serve(t, program, folder)

	p := openTab(t)
	p.do(chromedp.Navigate(s.url))
	p.waitFor(`location.pathname`, "/login")
	p.do(chromedp.Click(chromedp.CSS("#login")))
	p.waitFor(`document.querySelector("#problem")?.innerText`, "Please enter a name.")
	p.do(chromedp.SendKeys(chromedp.CSS("#name"), "ann <b>"), chromedp.Click(chromedp.CSS("#login")))
	p.waitFor(`location.pathname + document.querySelector("#status")?.innerText`, "/Connected")
	p.do(chromedp.SendKeys(chromedp.CSS("#text"), "hello <i>"), chromedp.Click(chromedp.CSS("#send")))
	p.waitFor(`[...document.querySelectorAll("#lines > div")].map((line) =>
		line.querySelector("bdi").textContent + ": " + line.querySelector("p").textContent).join()`, "ann <b>: hello <i>")

	for _, part := range []struct{ name, received string }{
		{"echo", "hello"},
		{"sums", `{"id":1,"result":3}`},
		{"events", `{"position":1,"text":""}`},
	} {
		p.waitFor(`document.querySelector("#`+part.name+` .state").innerText`, "Connected")
		p.do(chromedp.Click(chromedp.CSS("#" + part.name + " button")))
		p.waitFor(`document.querySelector("#`+part.name+` .received").innerText`, part.received)
	}
	p.waitFor(`document.querySelectorAll("#clock .received p").length > 1`, "true")

	p.do(chromedp.Click(chromedp.CSS("#logout")))
	p.waitFor(`location.pathname`, "/login")

	p.do(chromedp.SendKeys(chromedp.CSS("#name"), "ann"), chromedp.Click(chromedp.CSS("#login")))
	p.waitFor(`location.pathname + document.querySelector("#status")?.innerText`, "/Connected")
	s.stop()
	for _, state := range []string{"#status", "#echo .state"} {
		p.waitFor(`document.querySelector("`+state+`").innerText.endsWith("Trying again…")`, "true")
	}
}
