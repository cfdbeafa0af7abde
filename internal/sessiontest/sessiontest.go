// Package sessiontest is what wsframework promises of sessions on open sockets, as a suite that runs with any
// store of scs.
package sessiontest

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/coder/websocket"
	"github.com/gotornado/gotornado/wsframework"
)

// A Store is what a suite runs with.
type Store struct {
	// Open returns what opens the store, as each process does for itself: what it returns shares its data.
	Open func(t *testing.T) (open func() scs.Store)

	// Tick is the shortest time to live that the store can tell from the next one: a second for most.
	Tick time.Duration
}

// Run runs the suite: all cases with tokens as they are, and with hashed ones.
func Run(t *testing.T, store Store) {
	for _, hashed := range []bool{false, true} {
		t.Run(fmt.Sprint("hashed ", hashed), func(t *testing.T) {
			for name, test := range map[string]func(*world){
				"ends at once in its own process": endsAtOnce,
				"ends in another process":         endsElsewhere,
				"expires":                         expires,
				"lives on without its user":       losesItsUser,
				"is not brought back":             isNotBroughtBack,
				"loses no update":                 losesNoUpdate,
				"is kept alive by messages":       isKeptAlive,
				"is reloaded":                     isReloaded,
				"outlives a store that is away":   outlivesTheStore,
				"ends when nobody speaks":         idles,
			} {
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					test(newWorld(t, store, hashed))
				})
			}
		})
	}
}

// A world is a process with an application, and another one that shares its store.
type world struct {
	*testing.T
	tick            time.Duration
	ours, elsewhere *scs.SessionManager
	away            *awayStore // between the application and the store
	settings        wsframework.Settings
}

func newWorld(t *testing.T, store Store, hashed bool) *world {
	open := store.Open(t)
	w := &world{T: t, tick: store.Tick, away: &awayStore{Store: open(), refused: make(chan struct{}, 2)}}
	w.ours = newManager(w.away, hashed)
	w.elsewhere = newManager(open(), hashed)
	w.settings = wsframework.Settings{Sessions: w.ours, Logger: slog.New(slog.DiscardHandler), SessionCheckInterval: w.tick}
	return w
}

func newManager(store scs.Store, hashed bool) *scs.SessionManager {
	manager := scs.New()
	manager.Store, manager.HashTokenInStore = store, hashed
	return manager
}

// An awayStore is a store that does not answer while it is away.
type awayStore struct {
	scs.Store
	refused chan struct{} // gets a value for each look-up in vain, if there is room

	mu   sync.Mutex // protects the following
	away error
}

var errAway = errors.New("the store is away")

func (s *awayStore) goAway(err error) {
	s.mu.Lock()
	s.away = err
	s.mu.Unlock()
}

func (s *awayStore) Find(token string) ([]byte, bool, error) {
	s.mu.Lock()
	err := s.away
	s.mu.Unlock()
	if err != nil {
		select {
		case s.refused <- struct{}{}:
		default:
		}
		return nil, false, err
	}
	return s.Store.Find(token)
}

// A socket says what its session has.
type socket struct {
	wsframework.BaseHandler
	opened chan<- *socket
}

func (h *socket) Open() error { h.opened <- h; return nil }

func (h *socket) OnMessage(m wsframework.Message) error { return h.WriteMessage(m) }

// A visitor has a cookie, and a socket.
type visitor struct {
	w      *world
	client *http.Client
	site   string
	token  string
	conn   *websocket.Conn
	socket *socket
}

// visit begins a session for a user and opens a socket on it.
func (w *world) visit(user string) *visitor {
	w.Helper()
	app := wsframework.NewApplication(w.settings)
	opened := make(chan *socket, 1)
	app.WebSocket("/ws", func() wsframework.Handler { return &socket{opened: opened} }, wsframework.Authenticated())
	app.HandleFunc("/login", func(rw http.ResponseWriter, r *http.Request) { w.ours.Put(r.Context(), "user", r.FormValue("user")) })
	app.HandleFunc("/logout", func(rw http.ResponseWriter, r *http.Request) { w.report(w.ours.Destroy(r.Context())) })
	app.HandleFunc("/renew", func(rw http.ResponseWriter, r *http.Request) { w.report(w.ours.RenewToken(r.Context())) })
	server := httptest.NewServer(app)
	jar, err := cookiejar.New(nil)
	w.must(err)
	v := &visitor{w: w, client: &http.Client{Jar: jar, Transport: server.Client().Transport}, site: server.URL}
	v.get("/login?user=" + user)
	address, err := url.Parse(server.URL)
	w.must(err)
	v.token = jar.Cookies(address)[0].Value
	v.conn, _, err = websocket.Dial(w.Context(), server.URL+"/ws", &websocket.DialOptions{HTTPClient: v.client})
	w.must(err)
	v.socket = <-opened
	w.Cleanup(func() {
		v.conn.CloseNow()
		w.report(app.Shutdown(context.Background()))
		server.Close()
	})
	return v
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) report(err error) {
	w.Helper()
	if err != nil {
		w.Error(err)
	}
}

func (v *visitor) get(path string) {
	v.w.Helper()
	response, err := v.client.Get(v.site + path)
	v.w.must(err)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		v.w.Fatalf("%s: %s", path, response.Status)
	}
}

// wantClose waits for a close frame, and returns how long that took.
func (v *visitor) wantClose(code int, cause error) time.Duration {
	v.w.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(v.w.Context(), time.Minute+10*v.w.tick)
	defer cancel()
	for {
		_, _, err := v.conn.Read(ctx)
		if err == nil {
			continue // an echo
		}
		if got := int(websocket.CloseStatus(err)); got != code {
			v.w.Fatalf("closed with %d (%v), want %d", got, err, code)
		}
		<-v.socket.Context().Done()
		if !errors.Is(context.Cause(v.socket.Context()), cause) {
			v.w.Errorf("the cause is %v, want %v", context.Cause(v.socket.Context()), cause)
		}
		return time.Since(began)
	}
}

// change changes a session as a request of plain scs does, in one of the two processes.
func (w *world) change(manager *scs.SessionManager, token string, f func(ctx context.Context)) {
	w.Helper()
	ctx, err := manager.Load(context.Background(), token)
	w.must(err)
	f(ctx)
	if manager.Status(ctx) == scs.Modified {
		_, _, err = manager.Commit(ctx)
		w.must(err)
	}
}

// stored returns a value as a later request would find it.
func (w *world) stored(token, key string) (value any) {
	w.Helper()
	ctx, err := w.elsewhere.Load(context.Background(), token)
	w.must(err)
	return w.elsewhere.Get(ctx, key)
}
