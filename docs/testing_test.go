// Package docs has the tests that testing.md shows.
package docs

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A chatHandler tells all what one of them says, and closes after an hour.
type chatHandler struct{ wsframework.BaseHandler }

func (h *chatHandler) Open() error {
	h.After(time.Hour, func() error { return h.Close(4000, "an hour is enough") })
	return h.Join("room")
}

func (h *chatHandler) OnMessage(m wsframework.Message) error {
	if m.String() == "" {
		h.Logger().Warn("said nothing")
		return nil
	}
	return h.Broadcast("room", fmt.Sprintf("%v: %s", h.CurrentUser(), m))
}

func (h *chatHandler) OnClose() { h.Broadcast("room", fmt.Sprintf("%v has left", h.CurrentUser())) }

type loginPage struct{ wsframework.RequestHandler }

func (p *loginPage) Get() error {
	field, err := p.XSRFFormHTML()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p, "<form method=post>%s<input name=name></form>", field)
	return err
}

func (p *loginPage) Post() error {
	if err := p.Session().Put("user", p.BodyArgument("name")); err != nil {
		return err
	}
	return p.Redirect("/")
}

type logoutPage struct{ wsframework.RequestHandler }

func (p *logoutPage) Post() error {
	if err := p.Session().Destroy(); err != nil {
		return err
	}
	return p.Redirect("/login")
}

func newApp(sessions *scs.SessionManager, logger *slog.Logger) *wsframework.Application {
	app := wsframework.NewApplication(wsframework.Settings{Sessions: sessions, XSRFCookies: true, Logger: logger})
	app.WebSocket("/chat", func() wsframework.Handler { return new(chatHandler) }, wsframework.Authenticated())
	app.Page("/login", func() wsframework.Page { return new(loginPage) })
	app.Page("/logout", func() wsframework.Page { return new(logoutPage) })
	return app
}

// newChat is what the guide's tests make: the application, with sessions and a logger for tests.
func newChat(t testing.TB) *wsframework.Application {
	return newApp(wstest.NewSessions(), wstest.NewLog(t).Logger(slog.LevelWarn))
}

func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }

func TestHello(t *testing.T) {
	c := wstest.Dial(t, newChat(t), "/chat", wstest.User("ann"))
	c.Write("hello")
	c.Expect("ann: hello")
	c.Close(1000, "bye")
}

func TestHour(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := wstest.Dial(t, newChat(t), "/chat", wstest.User("ann"), wstest.Within(time.Hour))
		c.ExpectNothing(59 * time.Minute)
		c.ExpectClose(4000)
	})
}

func TestLogin(t *testing.T) {
	b := wstest.NewBrowser(t, newChat(t))
	b.DialRefused("/chat", http.StatusUnauthorized)

	b.Get("/login").ExpectContains("<form")
	b.PostForm("/login", url.Values{"name": {"ann"}}).ExpectRedirect("/")
	c := b.Dial("/chat")
	c.Write("hello")
	c.Expect("ann: hello")

	b.PostForm("/logout", nil).ExpectRedirect("/login")
	c.ExpectClose(wsframework.CloseSessionEnded)
}

func TestCrowd(t *testing.T) {
	crowd := wstest.Crowd(t, newChat(t), "/chat", 50, func(i int) []wstest.Option {
		return []wstest.Option{wstest.User(fmt.Sprint("user", i))}
	})
	for _, c := range crowd {
		c.Write("hello")
	}
	messages := crowd.ExpectSame(50) // all of them, in one order
	if !strings.HasSuffix(messages[0], ": hello") {
		t.Errorf("somebody said %q", messages[0])
	}
}

func TestPeerThatIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := newChat(t)
		wstest.Dial(t, app, "/chat", wstest.User("ann"), wstest.NoPongs())
		bob := wstest.Dial(t, app, "/chat", wstest.User("bob"), wstest.Within(time.Minute))
		bob.Expect("ann has left")
	})
}

func TestHalfAMessage(t *testing.T) {
	c := wstest.Dial(t, newChat(t), "/chat", wstest.User("ann"))
	frame := wstest.EncodeFrame(wstest.TextFrame, []byte("hello"))
	c.WriteRaw(frame[:4])
	c.ExpectNothing(10 * time.Millisecond)
	c.WriteRaw(frame[4:])
	c.Expect("ann: hello")
	c.WriteFrame(0x83, "a frame of opcode 3, which there is not")
	c.ExpectClose(wsframework.CloseProtocolError)
}

func TestStoreIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sessions, store := wstest.NewSessions(), wstest.NewStore()
		sessions.Store = store
		app := newApp(sessions, wstest.NewLog(t).Logger(slog.LevelWarn))
		c := wstest.Dial(t, app, "/chat", wstest.Session("user", "ann"), wstest.Within(time.Hour))

		store.Fail(errors.New("the store is away"))
		c.ExpectNothing(9 * time.Minute)
		c.Write("hello")
		c.Expect("ann: hello")
		c.ExpectClose(wsframework.CloseTryAgainLater) // after SessionCheckGrace, 10 minutes
	})
}

func TestComplaint(t *testing.T) {
	log := wstest.NewLog(t)
	app := newApp(wstest.NewSessions(), log.Logger(slog.LevelWarn))
	c := wstest.Dial(t, app, "/chat", wstest.User("ann"))
	c.Write("hello")
	c.Expect("ann: hello")
	log.ExpectNothing()
	c.Write("")
	c.Close(1000, "")
	log.ExpectContains("said nothing")
}

// What the guide shows is what runs: here, or in the tests of the examples.
func TestGuide(t *testing.T) {
	guide, err := os.ReadFile("testing.md")
	if err != nil {
		t.Fatal(err)
	}
	var sources strings.Builder
	for _, name := range []string{"testing_test.go", "../examples/chat/handler_test.go", "../examples/chat/main_test.go"} {
		source, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		sources.Write(source)
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(guide), -1)
	if len(blocks) < 8 {
		t.Errorf("there are only %d blocks of code", len(blocks))
	}
	for _, block := range blocks {
		if !strings.Contains(sources.String(), block[1]) {
			t.Errorf("this is in no test:\n%s", block[1])
		}
	}

	// The failure that it shows is what such a test says, but for the line and the times.
	failure := failureOf(t, func(t testing.TB) {
		c := wstest.Dial(t, newChat(t), "/chat", wstest.User("ann"))
		c.Write("hello")
		c.Expect("ann: hello")
		c.Write("Is anybody here?")
		c.Expect("ann: is anybody here?")
	})
	times := regexp.MustCompile(`(?m)^ *([\d.]+[µm]?s (->|<-))?`)
	failure = times.ReplaceAllString(failure, "$2")
	_, shown, _ := strings.Cut(string(guide), "chat_test.go:14: ")
	shown, _, _ = strings.Cut(shown, "\n```")
	if shown = times.ReplaceAllString(shown, "$2"); shown != failure {
		t.Errorf("the guide shows the failure\n%s\nbut it is\n%s", shown, failure)
	}
}

// failureOf returns how a test fails.
func failureOf(t *testing.T, test func(t testing.TB)) string {
	failing := &failingTB{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(failing)
	}()
	<-done
	return failing.failure
}

type failingTB struct {
	testing.TB
	failure string
}

func (f *failingTB) Helper() {}
func (f *failingTB) Fatalf(format string, args ...any) {
	f.failure = fmt.Sprintf(format, args...)
	runtime.Goexit()
}
