package wsframework_test

import (
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// files makes a file system of names and texts in turn.
func files(namesAndTexts ...string) fstest.MapFS {
	fsys := make(fstest.MapFS)
	for i := 0; i < len(namesAndTexts); i += 2 {
		fsys[namesAndTexts[i]] = &fstest.MapFile{Data: []byte(namesAndTexts[i+1])}
	}
	return fsys
}

// folder writes files to disk.
func folder(t *testing.T, namesAndTexts ...string) wsframework.Dir {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(namesAndTexts); i += 2 {
		name := filepath.Join(dir, filepath.FromSlash(namesAndTexts[i]))
		if err := errors.Join(os.MkdirAll(filepath.Dir(name), 0o700), os.WriteFile(name, []byte(namesAndTexts[i+1]), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return wsframework.Dir(dir)
}

// templates has a layout, a page, and pages that fail.
func templates() fstest.MapFS {
	return files(
		"base.html", `<title>{{block "title" .}}Site{{end}}</title>{{block "body" .}}{{end}}`,
		"room.html", `{{template "base.html" .}}{{define "title"}}{{shout "room"}}{{end}}`+
			`{{define "body"}}{{current_user}} {{request.URL.Path}} {{.}} {{static_url "chat.js"}} {{reverse_url "room" .}}{{end}}`,
		"user.html", "<p>{{current_user}} at {{request.URL.RawQuery}}: {{.}}</p>",
		"fails.html", "<p>\n{{.}}\n  {{fail .}}</p>",
	)
}

// renderSettings are settings with these templates and a static file.
func renderSettings() wsframework.Settings {
	return wsframework.Settings{
		Templates: templates(),
		TemplateFuncs: template.FuncMap{
			"shout": strings.ToUpper,
			"fail":  func(any) (string, error) { return "", errors.New("the secret is swordfish") },
		},
		Static:      files("chat.js", "chat"),
		CurrentUser: func(r *http.Request) (any, error) { return r.FormValue("user"), nil },
	}
}

func TestRenderOnPages(t *testing.T) {
	s := newSite(t, renderSettings())
	s.app.Page("/rooms/{room}", sheets(hooks{get: func(p *sheet) error { return p.Render("room.html", p.PathValue("room")) }}), wsframework.Name("room"))
	s.app.Page("/twice", sheets(hooks{get: func(p *sheet) error {
		text, err := p.RenderString("user.html", "<a>")
		return errors.Join(err, p.Render("user.html", "b"), p.SetStatus(201), p.WriteJSON(text))
	}}))
	url := s.app.StaticURL("chat.js")
	w := s.expect("GET", "/rooms/a%20&b?user=%3Cann%3E", 200,
		"<title>ROOM</title>&lt;ann&gt; /rooms/a &amp;b a &amp;b "+url+" /rooms/a%20&amp;b")
	if w.Header().Get("Content-Type") != "text/html; charset=utf-8" || w.Header().Get("Etag") == "" {
		t.Errorf("%v", w.Header())
	}
	s.expect("GET", "/twice?user=ann", 201, `<p>ann at user=ann: b</p>"\u003cp\u003eann at user=ann: \u0026lt;a\u0026gt;\u003c/p\u003e"`)
}

// A template that fails leaves no half a page, and what went wrong is for the log, or for the programmer.
func TestRenderThatFails(t *testing.T) {
	for _, tt := range []struct {
		name, template string
		none, debug    bool
		logged         []string
	}{
		{name: "in the template", template: "fails.html", logged: []string{"fails.html:3:4", "the secret is swordfish"}},
		{name: "with Debug", template: "fails.html", debug: true, logged: []string{"fails.html:3:4", "the secret is swordfish"}},
		{name: "no such template", template: "missing.html", logged: []string{"missing.html", "file does not exist"}},
		{name: "no path", template: "../missing.html", logged: []string{"../missing.html", "no path in the folder of the templates"}},
		{name: "no templates", template: "room.html", none: true, logged: []string{"wsframework: there are no templates: set Settings.Templates"}},
	} {
		settings := renderSettings()
		settings.Debug = tt.debug
		if tt.none {
			settings.Templates = nil
		}
		for _, render := range []func(p *sheet) error{
			func(p *sheet) error { return p.Render(tt.template, "data") },
			func(p *sheet) error { _, err := p.RenderString(tt.template, "data"); return err },
		} {
			s := newSite(t, settings).page(hooks{get: func(p *sheet) error {
				p.WriteString("begun ")
				return render(p)
			}})
			w := s.ask("GET", "/")
			if w.Code != 500 || strings.Contains(w.Body.String(), "begun") {
				t.Errorf("%s: %d %q", tt.name, w.Code, w.Body)
			}
			if !tt.debug && w.Body.String() != "Internal Server Error\n" {
				t.Errorf("%s gives away %q", tt.name, w.Body)
			}
			for _, part := range tt.logged {
				if tt.debug && !strings.Contains(w.Body.String(), part) {
					t.Errorf("%s: %q lacks %q", tt.name, w.Body, part)
				}
			}
			s.log.ExpectLine(append(tt.logged, "level=ERROR", "status=500")...)
		}
	}
}

// A connection renders as the request that opened it, whoever else does so at the same time.
func TestRenderOnSockets(t *testing.T) {
	const people, messages = 20, 20
	settings := renderSettings()
	settings.Logger = quiet
	s := overTCP.serve(t, settings, func(app *wsframework.Application) {
		app.WebSocket("/ws", func() wsframework.Handler {
			p := &probe{events: make(chan string, 100), done: make(chan struct{})}
			p.message = func(m wsframework.Message) error {
				text, err := p.RenderString("user.html", m.String())
				return errors.Join(err, p.WriteText(text))
			}
			p.open = func() error {
				text, err := p.RenderString("room.html", "tea")
				return errors.Join(err, p.WriteText(text))
			}
			return p
		})
		app.Page("/rooms/{room}", sheets(hooks{get: func(p *sheet) error { return p.Render("user.html", "page") }}), wsframework.Name("room"))
	})
	var group sync.WaitGroup
	for i := range people {
		cl := s.open(fmt.Sprintf("/ws?user=u%d", i))
		group.Go(func() {
			want := fmt.Sprintf("<title>ROOM</title>u%d /ws tea %s /rooms/tea", i, s.app.StaticURL("chat.js"))
			if _, got, err := cl.ReadFrame(); string(got) != want {
				t.Errorf("%q (%v), want %q", got, err, want)
			}
			for n := range messages {
				if _, err := cl.Conn().Write(wstest.EncodeFrame(wstest.TextFrame, fmt.Append(nil, n))); err != nil {
					t.Error(err)
				}
				want := fmt.Sprintf("<p>u%d at user=u%d: %d</p>", i, i, n)
				if _, got, err := cl.ReadFrame(); string(got) != want {
					t.Errorf("%q (%v), want %q", got, err, want)
				}
			}
		})
		group.Go(func() {
			site := &site{t: t, app: s.app}
			for range messages {
				site.expect("GET", fmt.Sprintf("/rooms/tea?user=p%d", i), 200, fmt.Sprintf("<p>p%d at user=p%d: page</p>", i, i))
			}
		})
	}
	group.Wait()
}

// With Debug what changes on disk is seen at once, and a template that is being written ends no program.
func TestTemplatesOnDisk(t *testing.T) {
	for _, debug := range []bool{false, true} {
		dir := folder(t, "base.html", `[{{block "body" .}}{{end}}]`, "parts/page.html", `{{template "base.html" .}}{{define "body"}}one{{end}}`)
		s := newSite(t, wsframework.Settings{Templates: dir, Debug: debug}).page(hooks{get: func(p *sheet) error { return p.Render("parts/page.html", nil) }})
		change := func(name, text string) {
			if err := os.WriteFile(filepath.Join(string(dir), name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		s.expect("GET", "/", 200, "[one]")
		change("base.html", `({{block "body" .}}{{end}})`)
		if !debug {
			s.expect("GET", "/", 200, "[one]")
			continue
		}
		s.expect("GET", "/", 200, "(one)")
		change("parts/page.html", "\n{{if}}")
		s.log.Forget()
		if w := s.ask("GET", "/"); w.Code != 500 || !strings.Contains(w.Body.String(), "parts/page.html:2") {
			t.Errorf("%d %q", w.Code, w.Body)
		}
		s.log.ExpectLine("parts/page.html:2", "status=500")
		wsframework.NewApplication(wsframework.Settings{Templates: dir, Debug: true, Logger: quiet}) // does not panic
		change("parts/page.html", "done")
		s.expect("GET", "/", 200, "done")
	}
}

// What can't be rendered ends the program at its start, not a visitor's request.
func TestTemplatesThatPanic(t *testing.T) {
	for name, tt := range map[string]struct {
		settings wsframework.Settings
		parts    []string
	}{
		"syntax":           {wsframework.Settings{Templates: files("a/b.html", "\n\n{{if}}")}, []string{"a/b.html:3"}},
		"no such part":     {wsframework.Settings{Templates: files("a.html", "\n{{template `b.html`}}")}, []string{"a.html:2", `"b.html" is defined nowhere`}},
		"no such function": {wsframework.Settings{Templates: files("a.html", "{{shout .}}")}, []string{"a.html:1", `function "shout" not defined`}},
		"escaping":         {wsframework.Settings{Templates: files("a.html", "<a href='{{if .}}x' {{end}}>")}, []string{"a.html", "branches end in different contexts"}},
		"taken name": {wsframework.Settings{Templates: files(), TemplateFuncs: template.FuncMap{"static_url": strings.ToUpper}},
			[]string{`"static_url" is built in`}},
		"no function": {wsframework.Settings{Templates: files(), TemplateFuncs: template.FuncMap{"x": 5}}, []string{`"x" can't be used`}},
		"no folder":   {wsframework.Settings{Templates: wsframework.Dir("no/such")}, []string{"Settings.Templates", `"no/such"`, "does not exist", "working directory"}},
		"a file":      {wsframework.Settings{Templates: wsframework.Dir("doc.go")}, []string{"Settings.Templates", `"doc.go"`, "it is a file"}},
	} {
		got := panicOf(func() { wsframework.NewApplication(tt.settings) })
		for _, part := range append(tt.parts, "wsframework: ") {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %s\nlacks %q", name, got, part)
			}
		}
	}
}
