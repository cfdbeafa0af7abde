package wsframework_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A sheet is a page whose hooks a test sets.
type sheet struct {
	wsframework.RequestHandler
	hooks
}

type hooks struct {
	prepare, get, post func(*sheet) error
	user               func(*sheet) (any, error)
	writeError         func(*sheet, int, error) error
	finished           func(*sheet)
}

func (p *sheet) Prepare() error {
	if p.prepare != nil {
		return p.prepare(p)
	}
	return p.RequestHandler.Prepare()
}

func (p *sheet) Get() error {
	if p.get != nil {
		return p.get(p)
	}
	_, err := p.WriteString("got")
	return err
}

func (p *sheet) Post() error {
	if p.post != nil {
		return p.post(p)
	}
	_, err := p.WriteString("posted")
	return err
}

func (p *sheet) GetCurrentUser() (any, error) {
	if p.user != nil {
		return p.user(p)
	}
	return p.RequestHandler.GetCurrentUser()
}

func (p *sheet) WriteError(status int, err error) error {
	if p.writeError != nil {
		return p.writeError(p, status, err)
	}
	return p.RequestHandler.WriteError(status, err)
}

func (p *sheet) OnFinish() {
	if p.finished != nil {
		p.finished(p)
	}
	p.RequestHandler.OnFinish()
}

// sheets makes a factory of sheets with the same hooks.
func sheets(h hooks) func() wsframework.Page {
	return func() wsframework.Page { return &sheet{hooks: h} }
}

// A site is an application that is asked without a network.
type site struct {
	t   *testing.T
	app *wsframework.Application
	log *wstest.Log
}

func newSite(t *testing.T, settings wsframework.Settings) *site {
	s := &site{t: t, log: wstest.NewLog(t)}
	settings.Logger = s.log.Logger(slog.LevelInfo)
	s.app = wsframework.NewApplication(settings)
	return s
}

// page registers a sheet under "/".
func (s *site) page(h hooks, options ...wsframework.RouteOption) *site {
	s.app.Page("/{$}", sheets(h), options...)
	return s
}

// ask sends a request with header lines; the first may be a path.
func (s *site) ask(method, target string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	return s.sendFrom(method, target, nil, header...)
}

// sendFrom sends a request with a body that ends when its reader does.
func (s *site) sendFrom(method, target string, body io.Reader, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	r := httptest.NewRequest(method, target, body)
	for _, line := range header {
		name, value, _ := strings.Cut(line, ": ")
		r.Header.Add(name, value)
	}
	w := httptest.NewRecorder()
	s.app.ServeHTTP(w, r)
	return w
}

// expect asks and wants this status and body.
func (s *site) expect(method, target string, status int, body string, header ...string) *httptest.ResponseRecorder {
	s.t.Helper()
	w := s.ask(method, target, header...)
	if w.Code != status || w.Body.String() != body {
		s.t.Errorf("%s %s: %d %q, want %d %q", method, target, w.Code, w.Body, status, body)
	}
	return w
}

// nextLine names the line behind that of its call.
func nextLine() string {
	_, file, line, _ := runtime.Caller(1)
	return fmt.Sprintf("%s:%d", file, line+1)
}

// panicOf returns the text of f's panic, "<nil>" without one.
func panicOf(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return
}
