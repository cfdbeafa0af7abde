package wstest

import (
	"context"
	"errors"
	"net"
	"net/http"
	"reflect"
	"strconv"
	"sync"
	"testing"

	"github.com/alexedwards/scs/v2"

	"github.com/gotornado/gotornado/internal/testvisit"
	"github.com/gotornado/gotornado/wsframework"
)

// Serve serves an application until the test ends, and returns where: "http://127.0.0.1:43215" with TCP, for
// browsers and other programs. Dial and the others call it by themselves with their own t, so it is needed for
// such programs, and in tests whose subtests share an application.
//
// The handler may be something around an application, a router, say, as that of the others may. When it has no
// method Shutdown, serve the application itself, too, so that the end of the test shuts it down.
func Serve(t testing.TB, handler http.Handler, list ...Option) (url string) {
	t.Helper()
	o := newOptions(list)
	s := serverFor(t, handler)
	return o.site().Scheme + "://" + s.on(t, o.network).addr
}

// A server serves one handler, on the networks that tests ask for.
type server struct {
	handler http.Handler
	http    *http.Server

	mu     sync.Mutex // protects the following
	sites  map[network]site
	visits map[string]*testvisit.Visit // under way, by their numbers in visitHeader
	number int                         // of the latest
}

// A site is a server's place on a network.
type site struct {
	addr string
	dial func() (net.Conn, error)
}

// visitHeader says which of a server's visits a request is. The application does not see it.
const visitHeader = "Wstest-Visit"

var (
	serversMu sync.Mutex // protects the following
	servers   = make(map[http.Handler]*server)
)

// serverFor returns the server of a handler, a new one if there is none yet.
func serverFor(t testing.TB, handler http.Handler) *server {
	t.Helper()
	serversMu.Lock()
	defer serversMu.Unlock()
	shared := reflect.TypeOf(handler).Comparable()
	if shared && servers[handler] != nil {
		return servers[handler]
	}
	s := &server{handler: handler, sites: make(map[network]site), visits: make(map[string]*testvisit.Visit)}
	s.http = &http.Server{Handler: http.HandlerFunc(s.serve)}
	if shared {
		servers[handler] = s
	}
	t.Cleanup(func() {
		serversMu.Lock()
		if shared {
			delete(servers, handler)
		}
		serversMu.Unlock()
		s.shutdown(t)
	})
	return s
}

// serve hands a request on, as that of a visit.
func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	if number := r.Header.Get(visitHeader); number != "" {
		r.Header.Del(visitHeader)
		s.mu.Lock()
		visit := s.visits[number]
		delete(s.visits, number)
		s.mu.Unlock()
		if visit != nil {
			r = r.WithContext(testvisit.With(r.Context(), visit))
		}
	}
	s.handler.ServeHTTP(w, r)
}

// expect returns what to put into visitHeader for a visit that is about to come.
func (s *server) expect(visit *testvisit.Visit) (number string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.number++
	number = strconv.Itoa(s.number)
	s.visits[number] = visit
	return number
}

// on returns the server's site on a network, where it serves from now on.
func (s *server) on(t testing.TB, n network) site {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, ok := s.sites[n]; ok {
		return at
	}
	listener, dial, err := n.listen()
	if err != nil {
		t.Fatalf("wstest: %v", err)
	}
	go s.http.Serve(listener) // until it is closed
	at := site{listener.Addr().String(), dial}
	s.sites[n] = at
	return at
}

// shutdown ends the application, then the server.
func (s *server) shutdown(t testing.TB) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if app, ok := s.handler.(interface{ Shutdown(context.Context) error }); ok {
		if err := app.Shutdown(ctx); err != nil {
			t.Errorf("wstest: when the test ended, handlers did not close: %v\n%s", err, inHandlers())
		}
	}
	if err := s.http.Shutdown(ctx); err != nil {
		t.Errorf("wstest: when the test ended, pages were not ready: %v", err)
		s.http.Close()
	}
}

var errNoSessions = errors.New("the application has no Settings.Sessions; wstest.NewSessions makes some for tests")

// sessions returns the manager of the application's sessions.
func sessionsOf(handler http.Handler) (*scs.SessionManager, error) {
	app, ok := handler.(*wsframework.Application)
	if !ok {
		return nil, errors.New("the handler is not an *Application; send the session's cookie with wstest.Cookie")
	}
	if manager := app.Settings().Sessions; manager != nil {
		return manager, nil
	}
	return nil, errNoSessions
}
