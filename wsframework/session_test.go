package wsframework_test

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// sessionServer serves probes under /ws, and /login?name=…, which begins a session.
func sessionServer(t *testing.T, sessions *scs.SessionManager, settings wsframework.Settings, configure func(*probe), options ...wsframework.RouteOption) *server {
	settings.Sessions = sessions
	s := overTCP.probes(t, settings, configure, options...)
	s.app.HandleFunc("GET /login", func(w http.ResponseWriter, r *http.Request) {
		sessions.Put(r.Context(), "user", r.FormValue("name"))
	})
	return s
}

// login returns the cookie of a new session, and its token.
func (s *server) login(name string) (cookie wstest.Option, token string) {
	s.t.Helper()
	b := wstest.NewBrowser(s.t, s.app, wstest.Via(s.dial))
	if page := b.Get("/login?name=" + name).ExpectStatus(200); len(page.Cookies()) != 1 {
		s.t.Fatalf("login: cookies %v", page.Cookies())
	}
	token = b.Cookie("session")
	return wstest.Cookie("session", token), token
}

// stored returns what a later request with this token would find.
func stored(t *testing.T, sessions *scs.SessionManager, token, key string) any {
	t.Helper()
	ctx, err := sessions.Load(context.Background(), token)
	if err != nil {
		t.Fatal(err)
	}
	return sessions.Get(ctx, key)
}

// count returns how many sessions the store has.
func count(t *testing.T, sessions *scs.SessionManager) int {
	t.Helper()
	all, err := sessions.Store.(scs.IterableStore).All()
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestCurrentUser(t *testing.T) {
	override := false
	var settings wsframework.Settings
	s := sessionServer(t, wstest.NewSessions(), settings, func(p *probe) {
		if override {
			p.user = func() (any, error) {
				user, err := p.BaseHandler.GetCurrentUser()
				return fmt.Sprintf("overridden %v", user), err
			}
		}
		p.open = func() error {
			name, isString := wsframework.UserAs[string](p)
			_, isInt := wsframework.UserAs[int](p)
			return p.WriteText(fmt.Sprintf("%v %v %v %v", p.CurrentUser(), name, isString, isInt))
		}
	})
	s.connect().Expect("<nil>  false false")
	cookie, _ := s.login("ann")
	s.connect(cookie).Expect("ann ann true false")
	s.connect(wstest.Cookie("session", "of-nobody")).Expect("<nil>  false false")
	override = true
	s.connect(cookie).Expect("overridden ann overridden ann true false")
	override = false

	settings.CurrentUser = func(r *http.Request) (any, error) {
		if r.URL.Path != "/ws" || r.Context().Err() != nil {
			t.Errorf("CurrentUser is asked about %v", r)
		}
		switch name := r.Header.Get("X-User"); name {
		case "":
			return nil, nil
		case "fail":
			return nil, errFailing
		default:
			return &point{X: len(name)}, nil
		}
	}
	s = sessionServer(t, wstest.NewSessions(), settings, func(p *probe) {
		p.open = func() error {
			user, ok := wsframework.UserAs[*point](p)
			return p.WriteText(fmt.Sprint(user, ok))
		}
	}, wsframework.Authenticated())
	s.connect(wstest.Header("X-User", "ann")).Expect("&{3 0} true")
	cookie, _ = s.login("ann") // counts for nothing now
	s.refused("/ws", 401, cookie)
	s.refused("/ws", 500, wstest.Header("X-User", "fail"))
}

func TestNoSessions(t *testing.T) {
	s := overTCP.probes(t, wsframework.Settings{}, func(p *probe) {
		p.prepare = func() error {
			if p.Session() != nil {
				t.Error("a session without a manager")
			}
			return nil
		}
	}, wsframework.Authenticated())
	s.refused("/ws", 401, wstest.Cookie("session", "x"))
	if user, err := new(probe).GetCurrentUser(); user != nil || !errors.Is(err, wsframework.ErrNotOpen) {
		t.Errorf("user of a stray handler: %v, %v", user, err)
	}
}

// What Prepare does to the session is in the store, and its cookie in the answer, when the answer comes.
func TestSessionInPrepare(t *testing.T) {
	for _, hashed := range []bool{false, true} {
		for _, idle := range []time.Duration{0, time.Hour} {
			t.Run(fmt.Sprint("hashed ", hashed, ", idle ", idle), func(t *testing.T) {
				sessions := wstest.NewSessions()
				sessions.HashTokenInStore, sessions.IdleTimeout = hashed, idle
				var act func(*wsframework.Session)
				var latest *probe
				s := sessionServer(t, sessions, wsframework.Settings{}, func(p *probe) {
					latest = p
					p.prepare = func() error { act(p.Session()); return nil }
					p.open = func() error {
						if err := p.Session().Put("late", 1); !errors.Is(err, wsframework.ErrHandshakeDone) {
							t.Errorf("Put in Open: %v", err)
						}
						if err := p.Session().Remove("user"); !errors.Is(err, wsframework.ErrHandshakeDone) {
							t.Errorf("Remove in Open: %v", err)
						}
						return nil
					}
				})
				do := func(f func(*wsframework.Session), options ...wstest.Option) []*http.Cookie {
					t.Helper()
					act = f
					response := s.connect(options...).Response()
					latest.expect(t, "open")
					for _, c := range response.Cookies() {
						if c.Name != "session" || !c.HttpOnly || c.Path != "/" {
							t.Errorf("cookie %v", c)
						}
					}
					return response.Cookies()
				}
				nothing := func(*wsframework.Session) {}

				if cookies := do(nothing); len(cookies) > 0 || count(t, sessions) > 0 {
					t.Errorf("a session for nothing: %v, %d", cookies, count(t, sessions))
				}
				cookies := do(func(session *wsframework.Session) {
					if err := session.Put("user", "ann"); err != nil {
						t.Error(err)
					}
					session.Put("seen", 1)
				})
				if len(cookies) != 1 {
					t.Fatalf("cookies %v", cookies)
				}
				token, cookie := cookies[0].Value, wstest.Cookie("session", cookies[0].Value)
				if age := time.Duration(cookies[0].MaxAge) * time.Second; idle > 0 && (age < idle-time.Minute || age > idle+time.Minute) ||
					idle == 0 && age < 23*time.Hour {
					t.Errorf("the cookie lives for %v", age)
				}
				if latest.CurrentUser() != "ann" {
					t.Errorf("user %v", latest.CurrentUser())
				}
				if got := stored(t, sessions, token, "seen"); got != 1 {
					t.Errorf("stored %v", got)
				}
				if _, found, _ := sessions.Store.Find(token); found == hashed {
					t.Errorf("the token as it stands in the store: %v", found)
				}

				cookies = do(func(session *wsframework.Session) {
					if session.Get("seen") != 1 || session.Get("other") != nil || session.GetString("user") != "ann" || session.GetString("seen") != "" ||
						!session.Exists("seen") || session.Exists("other") || !slices.Equal(session.Keys(), []string{"seen", "user"}) {
						t.Errorf("the session has %v", session.Keys())
					}
				}, cookie)
				// With an idle time-out each request moves the session's end.
				if len(cookies) != 0 && idle == 0 || idle > 0 && (len(cookies) != 1 || cookies[0].Value != token) {
					t.Errorf("cookies %v for a session that is only read", cookies)
				}

				do(func(session *wsframework.Session) {
					session.Remove("seen")
					session.Put("more", "x")
				}, cookie)
				if stored(t, sessions, token, "seen") != nil || stored(t, sessions, token, "more") != "x" || stored(t, sessions, token, "late") != nil {
					t.Error("the changes are not stored")
				}

				// What the session's manager can do besides.
				cookies = do(func(*wsframework.Session) {
					if err := sessions.RenewToken(latest.Context()); err != nil {
						t.Error(err)
					}
				}, cookie)
				if len(cookies) != 1 || cookies[0].Value == token || stored(t, sessions, token, "user") != nil || stored(t, sessions, cookies[0].Value, "user") != "ann" {
					t.Errorf("after RenewToken: %v", cookies)
				}
				cookie = wstest.Cookie("session", cookies[0].Value)
				cookies = do(func(*wsframework.Session) {
					if err := sessions.Destroy(latest.Context()); err != nil {
						t.Error(err)
					}
				}, cookie)
				if len(cookies) != 1 || cookies[0].MaxAge >= 0 || latest.CurrentUser() != nil || count(t, sessions) != 0 {
					t.Errorf("after Destroy: %v, user %v, %d sessions", cookies, latest.CurrentUser(), count(t, sessions))
				}
				if log := s.log.String(); log != "" {
					t.Errorf("log %q", log)
				}
			})
		}
	}
}

func TestSessionIsNotSavedOnRefusal(t *testing.T) {
	for name, refuse := range map[string]func(*probe){
		"Prepare": func(p *probe) {
			put := p.prepare
			p.prepare = func() error { put(); return &wsframework.HTTPError{Status: 403} }
		},
		"GetCurrentUser":    func(p *probe) { p.user = func() (any, error) { return nil, errFailing } },
		"Authenticated":     func(p *probe) { p.user = func() (any, error) { return nil, nil } },
		"SelectSubprotocol": func(p *probe) { p.subproto = func([]string) string { return "not offered" } },
	} {
		t.Run(name, func(t *testing.T) {
			sessions := wstest.NewSessions()
			s := sessionServer(t, sessions, wsframework.Settings{}, func(p *probe) {
				p.prepare = func() error { return p.Session().Put("user", "eve") }
				refuse(p)
			}, wsframework.Authenticated())
			response, _ := s.ask(goodRequest, "")
			if response.StatusCode == 101 || len(response.Cookies()) > 0 || count(t, sessions) > 0 {
				t.Errorf("%s, cookies %v, %d sessions", response.Status, response.Cookies(), count(t, sessions))
			}
		})
	}
}

// A brokenStore fails where it is told to.
type brokenStore struct {
	*wstest.Store
	find, commit error
}

func (b brokenStore) Find(token string) ([]byte, bool, error) {
	if b.find != nil {
		return nil, false, b.find
	}
	return b.Store.Find(token)
}

func (b brokenStore) Commit(token string, data []byte, expiry time.Time) error {
	if b.commit != nil {
		return b.commit
	}
	return b.Store.Commit(token, data, expiry)
}

func TestSessionStoreThatFails(t *testing.T) {
	for name, tt := range map[string]struct {
		store  brokenStore
		logged string
	}{
		"Find":   {brokenStore{find: errors.New("no route to redis")}, "loading the session: no route to redis"},
		"Commit": {brokenStore{commit: errors.New("the disk is full")}, "saving the session: the disk is full"},
	} {
		t.Run(name, func(t *testing.T) {
			sessions := wstest.NewSessions()
			tt.store.Store = sessions.Store.(*wstest.Store)
			sessions.Store = tt.store
			s := sessionServer(t, sessions, wsframework.Settings{}, func(p *probe) {
				p.prepare = func() error { return p.Session().Put("user", "ann") }
				p.open = func() error { t.Error("it is open"); return nil }
			})
			response, body := s.ask(with(goodRequest, "+Cookie: session=sesame"), "")
			if response.StatusCode != 500 || body != "Internal Server Error\n" || len(response.Cookies()) > 0 {
				t.Errorf("%s %q %v", response.Status, body, response.Cookies())
			}
			s.log.ExpectLine("ERROR", "route=/ws", "remote=127.0.0.1:", tt.logged)
		})
	}
}

var gobRuns atomic.Int32

func TestSessionWithATypeUnknownToGob(t *testing.T) {
	// Each run of this test has a type of its own, as gob never forgets one.
	field := fmt.Sprintf("Field%d", gobRuns.Add(1))
	unknown := reflect.Zero(reflect.StructOf([]reflect.StructField{{Name: field, Type: reflect.TypeFor[string]()}})).Interface()
	sessions := wstest.NewSessions()
	memory := sessions.Store // nobody sees what is done here
	s := sessionServer(t, sessions, wsframework.Settings{}, func(p *probe) {
		p.prepare = func() error {
			if p.Argument("put") != "" {
				return p.Session().Put("user", unknown)
			}
			return nil
		}
	})
	// Saving.
	response, body := s.ask(with(goodRequest, "GET /ws?put=1 HTTP/1.1"), "")
	if response.StatusCode != 500 || body != "Internal Server Error\n" {
		t.Errorf("%s %q", response.Status, body)
	}
	s.log.ExpectLine("ERROR", "gob.Register", field)
	// Loading what another process saved, which knew the type.
	gob.RegisterName("elsewhere."+field, unknown)
	s.log.Forget()
	response, _ = s.ask(with(goodRequest, "GET /ws?put=1 HTTP/1.1"), "")
	if response.StatusCode != 101 || len(response.Cookies()) != 1 {
		t.Fatalf("%s %v", response.Status, response.Cookies())
	}
	token := response.Cookies()[0].Value
	data, _, err := memory.Find(token)
	if err != nil {
		t.Fatal(err)
	}
	forgotten := strings.Replace(string(data), "elsewhere.", "somewhere.", 1)
	if err := memory.Commit(token, []byte(forgotten), time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	response, body = s.ask(with(goodRequest, "+Cookie: session="+token), "")
	if response.StatusCode != 500 || body != "Internal Server Error\n" {
		t.Errorf("%s %q", response.Status, body)
	}
	s.log.ExpectLine("ERROR", "loading the session", "gob.Register")
}

// Inside somebody's own LoadAndSave there is one session and one cookie.
func TestSessionLoadedByMiddleware(t *testing.T) {
	for _, idle := range []time.Duration{0, time.Hour} {
		sessions := wstest.NewSessions()
		sessions.IdleTimeout = idle
		var s *server
		var inner *probe
		s = sessionServer(t, sessions, wsframework.Settings{}, func(*probe) {})
		endpoint := s.app.Upgrade(func() wsframework.Handler {
			inner = &probe{events: make(chan string, 10), done: make(chan struct{})}
			inner.prepare = func() error {
				if user := inner.Session().Get("user"); user != nil && user != "ann" {
					t.Errorf("user %v", user)
				}
				if inner.Session().Get("by") != "middleware" {
					t.Error("what the middleware put is not there")
				}
				return inner.Session().Put("count", 5)
			}
			return inner
		})
		// app.Handle runs this inside of LoadAndSave.
		s.app.HandleFunc("/outer", func(w http.ResponseWriter, r *http.Request) {
			sessions.Put(r.Context(), "by", "middleware")
			endpoint.ServeHTTP(w, r)
		})
		for _, name := range []string{"", "ann"} {
			var options []wstest.Option
			if name != "" {
				cookie, _ := s.login(name)
				options = append(options, cookie)
			}
			cl := s.open("/outer", options...)
			response := cl.Response()
			if len(response.Cookies()) != 1 {
				t.Fatalf("cookies %v", response.Cookies())
			}
			token := response.Cookies()[0].Value
			inner.expect(t, "open")
			if stored(t, sessions, token, "count") != 5 || stored(t, sessions, token, "by") != "middleware" {
				t.Error("not saved")
			}
			if err := inner.Session().Put("late", 1); !errors.Is(err, wsframework.ErrHandshakeDone) {
				t.Errorf("Put after the handshake: %v", err)
			}
			if err := s.app.CloseSession(t.Context(), token, wsframework.CloseSessionEnded, "logged out"); err != nil {
				t.Error(err)
			}
			shake(t, cl, 4401, "logged out")
		}
	}
}

func TestCurrentUserBesideTheHandshake(t *testing.T) {
	asked := make(chan any)
	s := networks[1].probes(t, wsframework.Settings{}, func(p *probe) {
		p.prepare = func() error { go func() { asked <- p.CurrentUser() }(); return nil }
		p.user = func() (any, error) { return "ann", nil }
	})
	s.connect()
	if user := receive(t, asked); user != nil && user != "ann" {
		t.Errorf("user %v", user)
	}
}

// A nil pointer in an interface is nobody, too.
func TestTypedNilUserIsNobody(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		type user struct{}
		s := n.probes(t, wsframework.Settings{CurrentUser: func(*http.Request) (any, error) {
			var nobody *user
			return nobody, nil
		}}, func(*probe) {}, wsframework.Authenticated())
		s.refused("/ws", 401)
	})
}
