package wsframework_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
)

// everyMethod has all of them.
type everyMethod struct{ wsframework.RequestHandler }

func (p *everyMethod) say(method string) error {
	p.SetHeader("X-Method", method)
	_, err := p.WriteString(method)
	return err
}
func (p *everyMethod) Get() error     { return p.say("Get") }
func (p *everyMethod) Head() error    { return p.say("Head") }
func (p *everyMethod) Post() error    { return p.say("Post") }
func (p *everyMethod) Put() error     { return p.say("Put") }
func (p *everyMethod) Patch() error   { return p.say("Patch") }
func (p *everyMethod) Delete() error  { return p.say("Delete") }
func (p *everyMethod) Options() error { return p.say("Options") }

// getOnly and deleteOnly have one; embedsGet has it by embedding.
type getOnly struct{ wsframework.RequestHandler }

func (p *getOnly) Get() error { _, err := p.WriteString("<p>got"); return err }

type deleteOnly struct{ wsframework.RequestHandler }

func (p *deleteOnly) Delete() error { return nil }

type embedsGet struct{ getOnly }

func TestPageMethods(t *testing.T) {
	s := newSite(t, wsframework.Settings{})
	s.app.Page("/every", func() wsframework.Page { return new(everyMethod) })
	s.app.Page("/get", func() wsframework.Page { return new(embedsGet) })
	s.app.Page("/delete", func() wsframework.Page { return new(deleteOnly) })
	for _, tt := range []struct {
		method, path string
		status       int
		body, allow  string
	}{
		{"GET", "/every", 200, "Get", ""},
		{"HEAD", "/every", 200, "", ""},
		{"POST", "/every", 200, "Post", ""},
		{"PUT", "/every", 200, "Put", ""},
		{"PATCH", "/every", 200, "Patch", ""},
		{"DELETE", "/every", 200, "Delete", ""},
		{"OPTIONS", "/every", 200, "Options", ""},
		{"PROPFIND", "/every", 405, "Method Not Allowed\n", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
		{"get", "/every", 405, "Method Not Allowed\n", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"},
		{"GET", "/get", 200, "<p>got", ""},
		{"HEAD", "/get", 200, "", ""},
		{"POST", "/get", 405, "Method Not Allowed\n", "GET, HEAD"},
		{"OPTIONS", "/get", 405, "Method Not Allowed\n", "GET, HEAD"},
		{"DELETE", "/delete", 200, "", ""},
		{"GET", "/delete", 405, "Method Not Allowed\n", "DELETE"},
		{"HEAD", "/delete", 405, "", "DELETE"},
	} {
		w := s.expect(tt.method, tt.path, tt.status, tt.body)
		if got := w.Header().Get("Allow"); got != tt.allow {
			t.Errorf("%s %s: Allow %q, want %q", tt.method, tt.path, got, tt.allow)
		}
	}
	if got := s.ask("HEAD", "/every").Header().Get("X-Method"); got != "Head" {
		t.Errorf("HEAD called %s", got)
	}
}

// HEAD is answered with the headers of GET.
func TestHeadFromGet(t *testing.T) {
	s := overTCP.serve(t, wsframework.Settings{}, func(app *wsframework.Application) {
		app.Page("/", func() wsframework.Page { return new(getOnly) })
	})
	var headers []http.Header
	for _, method := range []string{"GET", "HEAD"} {
		response, body := s.ask([]string{method + " / HTTP/1.1", "Host: example.com"}, "")
		if want := map[string]string{"GET": "<p>got", "HEAD": ""}[method]; response.StatusCode != 200 || body != want {
			t.Errorf("%s: %s %q", method, response.Status, body)
		}
		response.Header.Del("Date")
		headers = append(headers, response.Header)
	}
	if !reflect.DeepEqual(headers[0], headers[1]) {
		t.Errorf("GET %v, HEAD %v", headers[0], headers[1])
	}
	for name, want := range map[string]string{"Content-Length": "6", "Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff"} {
		if got := headers[1].Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOrderOfPageHooks(t *testing.T) {
	var calls []string
	note := func(call string) { calls = append(calls, call) }
	like := hooks{
		prepare: func(*sheet) error { note("Prepare"); return nil },
		user:    func(*sheet) (any, error) { note("GetCurrentUser"); return "ann", nil },
		get: func(p *sheet) error {
			note(fmt.Sprint("Get ", p.CurrentUser(), p.CurrentUser()))
			return nil
		},
		post:       func(*sheet) error { note("Post"); return errFailing },
		writeError: func(p *sheet, status int, err error) error { note(fmt.Sprint("WriteError ", status)); return nil },
		finished:   func(p *sheet) { note(fmt.Sprint("OnFinish ", p.Status(), p.SetStatus(201))) },
	}
	finishing := like
	finishing.prepare = func(p *sheet) error { note("Prepare"); return p.Finish() }
	s := newSite(t, wsframework.Settings{})
	s.app.Page("/open", sheets(like))
	s.app.Page("/members", sheets(like), wsframework.Authenticated())
	s.app.Page("/finishing", sheets(finishing), wsframework.Authenticated())
	const over = "wsframework: the response has been sent; nothing can be added to it"
	for _, tt := range []struct {
		method, path string
		want         []string
	}{
		{"GET", "/open", []string{"Prepare", "GetCurrentUser", "Get annann", "OnFinish 200 " + over}},
		{"GET", "/members", []string{"Prepare", "GetCurrentUser", "Get annann", "OnFinish 200 " + over}},
		{"POST", "/open", []string{"Prepare", "Post", "WriteError 500", "OnFinish 500 " + over}},
		{"PUT", "/open", []string{"Prepare", "WriteError 405", "OnFinish 405 " + over}},
		{"GET", "/finishing", []string{"Prepare", "OnFinish 200 " + over}},
	} {
		calls = nil
		s.ask(tt.method, tt.path)
		if !slices.Equal(calls, tt.want) {
			t.Errorf("%s %s: %q, want %q", tt.method, tt.path, calls, tt.want)
		}
	}
}

// Prepare may answer in place of the method.
func TestPrepareAnswers(t *testing.T) {
	for name, tt := range map[string]struct {
		prepare func(*sheet) error
		status  int
		body    string
	}{
		"Finish":    {func(p *sheet) error { p.WriteString("from Prepare"); return p.Finish() }, 200, "from Prepare"},
		"Redirect":  {func(p *sheet) error { return p.Redirect("/login") }, 302, ""},
		"SendError": {func(p *sheet) error { return p.SendError(410) }, 410, "Gone\n"},
		"error":     {func(p *sheet) error { return &wsframework.HTTPError{Status: 409} }, 409, "Conflict\n"},
		"panic":     {func(p *sheet) error { panic("oh") }, 500, "Internal Server Error\n"},
	} {
		s := newSite(t, wsframework.Settings{}).page(hooks{
			prepare: tt.prepare,
			get:     func(*sheet) error { t.Errorf("%s: Get was called", name); return nil },
		})
		s.expect("GET", "/", tt.status, tt.body)
	}
	s := newSite(t, wsframework.Settings{}).page(hooks{prepare: func(p *sheet) error {
		_, err := p.WriteString("first ")
		return errors.Join(err, p.SetStatus(203))
	}})
	s.expect("GET", "/", 203, "first got")
}

// A route makes one page for each request, and they do not meet.
func TestOnePagePerRequest(t *testing.T) {
	var made atomic.Int32
	type own struct {
		sheet
		name string
	}
	s := newSite(t, wsframework.Settings{})
	s.app.Page("/{name}", func() wsframework.Page {
		made.Add(1)
		p := new(own)
		p.prepare = func(*sheet) error { p.name = p.PathValue("name"); return nil }
		p.get = func(*sheet) error {
			done := make(chan struct{})
			go func() { // the race detector watches
				defer close(done)
				p.CurrentUser()
				p.Context()
				p.Logger()
				p.Request()
			}()
			_, err := fmt.Fprint(p, p.name, p.Argument("q"))
			<-done
			return err
		}
		return p
	})
	var wait sync.WaitGroup
	for i := range 20 {
		wait.Go(func() { s.expect("GET", fmt.Sprintf("/a%d?q=%d", i, i), 200, fmt.Sprintf("a%d%d", i, i)) })
	}
	wait.Wait()
	if got := made.Load(); got != 21 { // one when the route was registered
		t.Errorf("%d pages", got)
	}
}

func TestPageFactoriesThatFail(t *testing.T) {
	shared := new(sheet)
	type byValue struct{ *sheet }
	for name, tt := range map[string]struct {
		factory func() wsframework.Page
		logged  string
	}{
		"nil":          {func() wsframework.Page { return nil }, "returned nil"},
		"typed nil":    {func() wsframework.Page { return (*sheet)(nil) }, "returned nil"},
		"nil embedded": {func() wsframework.Page { return byValue{} }, "stack="},
		"used before":  {func() wsframework.Page { return shared }, "return a new one each time"},
		"panicking":    {func() wsframework.Page { panic("kaboom") }, "kaboom"},
	} {
		s := newSite(t, wsframework.Settings{})
		s.app.Page("/", tt.factory)
		if name == "used before" {
			s.expect("GET", "/", 200, "got")
			s.log.Forget()
		}
		s.expect("GET", "/", 500, "Internal Server Error\n")
		s.log.ExpectLine("level=ERROR", "status=500", "route=/ ", tt.logged)
	}
}

type (
	withArgument struct{ wsframework.RequestHandler }
	withNothing  struct{ getOnly }
	methodless   struct{ wsframework.RequestHandler }
)

func (*withArgument) Get(http.ResponseWriter) error { return nil }
func (*withNothing) Post()                          {}

// What the compiler can't find in a page is found when it is registered, at that line.
func TestPagesThatPanic(t *testing.T) {
	app := wsframework.NewApplication(wsframework.Settings{Logger: quiet})
	for _, tt := range []struct {
		page  wsframework.Page
		parts []string
	}{
		{new(withArgument), []string{"method Get", "withArgument", "func() error"}},
		{new(withNothing), []string{"method Post", "withNothing", "func() error"}},
		{new(methodless), []string{"methodless answers nothing", "Get() error"}},
	} {
		factory := func() wsframework.Page { return tt.page }
		where := ""
		func() {
			defer func() {
				text := fmt.Sprint(recover())
				for _, part := range append(tt.parts, "wsframework: "+where, "/page") {
					if !strings.Contains(text, part) {
						t.Errorf("panic %q lacks %q", text, part)
					}
				}
			}()
			where = nextLine()
			app.Page("/page", factory)
		}()
	}
	for name, register := range map[string]func(){
		"no factory": func() { app.Page("/none", nil) },
		"taken":      func() { app.Page("/a", sheets(hooks{})); app.Page("/a", sheets(hooks{})) },
	} {
		if text := panicOf(register); !strings.HasPrefix(text, "wsframework: ") {
			t.Errorf("%s: panic %q", name, text)
		}
	}
}

// misspeltPage has the mistakes that compile; ordinaryPage has methods that only look like some.
type misspeltPage struct{ getOnly }

func (*misspeltPage) POST() error             { return nil }
func (*misspeltPage) Prepar() error           { return nil }
func (*misspeltPage) WriteErorr(int, error)   {}
func (*misspeltPage) Write_Error(int, error)  {}
func (*misspeltPage) OnError(int, error)      {}
func (*misspeltPage) OnFinished()             {}
func (*misspeltPage) Get_Current_User() any   { return nil }
func (*misspeltPage) GetCurentUser() any      { return nil }
func (*misspeltPage) OPTIONS(io.Writer) error { return nil }

type ordinaryPage struct{ everyMethod }

func (*ordinaryPage) Path() string      { return "" }
func (*ordinaryPage) Posts() []string   { return nil }
func (*ordinaryPage) Gets() int         { return 0 }
func (*ordinaryPage) Header() string    { return "" }
func (*ordinaryPage) Deleted() bool     { return false }
func (*ordinaryPage) Option(string) any { return nil }
func (*ordinaryPage) Error() string     { return "" }
func (*ordinaryPage) Render() error     { return nil }

func TestMisspeltPageHooks(t *testing.T) {
	s := newSite(t, wsframework.Settings{})
	s.app.Page("/ordinary", func() wsframework.Page { return new(ordinaryPage) })
	s.app.NotFound(func() wsframework.Page { return new(ordinaryPage) })
	if text := s.log.String(); text != "" {
		t.Errorf("ordinary: %s", text)
	}
	want := []string{
		"method=GetCurentUser hook=GetCurrentUser", "method=Get_Current_User hook=GetCurrentUser",
		"method=OPTIONS hook=Options", "method=OnError hook=WriteError", "method=OnFinished hook=OnFinish",
		"method=POST hook=Post", "method=Prepar hook=Prepare",
		"method=WriteErorr hook=WriteError", "method=Write_Error hook=WriteError",
	}
	for route, register := range map[string]func(func() wsframework.Page){
		"route=/misspelt":      func(f func() wsframework.Page) { s.app.Page("/misspelt", f) },
		`route="(not found)" `: s.app.NotFound,
	} {
		s.log.Forget()
		register(func() wsframework.Page { return new(misspeltPage) })
		lines := slices.Collect(strings.Lines(s.log.String()))
		if len(lines) != len(want) {
			t.Errorf("%d lines, want %d:\n%s", len(lines), len(want), s.log)
			continue
		}
		for i, line := range lines {
			if !strings.HasSuffix(line, want[i]+"\n") || !strings.Contains(line, route) || !strings.Contains(line, "level=WARN") {
				t.Errorf("%s\nlacks %s", line, want[i])
			}
		}
	}
	if text := panicOf(func() { s.app.NotFound(func() wsframework.Page { return new(withNothing) }) }); !strings.Contains(text, "method Post") {
		t.Errorf("NotFound with a wrong method: %s", text)
	}
}
