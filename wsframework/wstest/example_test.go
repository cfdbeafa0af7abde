package wstest_test

import (
	"net/url"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A Clock tells the time each hour.
type Clock struct{ wsframework.BaseHandler }

func (h *Clock) Open() error {
	h.Every(time.Hour, func() error { return h.WriteMessage(time.Now().UTC().Format(time.TimeOnly)) })
	return nil
}

func (h *Clock) OnMessage(wsframework.Message) error { return nil }

// t stands for what a test gets.
var t *testing.T

func TestExamples(test *testing.T) {
	for name, example := range map[string]func(){
		"Example": Example, "time": Example_time, "NewBrowser": ExampleNewBrowser, "Crowd": ExampleCrowd,
		"StopReading": ExampleClient_StopReading, "Fail": ExampleStore_Fail,
	} {
		test.Run(name, func(test *testing.T) {
			t = test
			example()
		})
	}
}

// A handler is tested in a few lines.
func Example() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/echo", func() wsframework.Handler { return new(echo) })

	c := wstest.Dial(t, app, "/echo", wstest.User("ann"))
	c.Write("hello")
	c.ExpectMatch("^hell")
	c.ExpectNothing(50 * time.Millisecond)
	c.Close(1000, "bye")
}

// In a bubble of testing/synctest an hour passes at once.
func Example_time() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/clock", func() wsframework.Handler { return new(Clock) })

	synctest.Test(t, func(t *testing.T) {
		c := wstest.Dial(t, app, "/clock", wstest.Within(2*time.Hour))
		c.Expect("01:00:00") // bubbles begin at midnight
		c.Expect("02:00:00")
	})
}

// Who logs in on a page is known to his sockets.
func ExampleNewBrowser() {
	app := newSite(wstest.NewSessions())

	b := wstest.NewBrowser(t, app)
	b.DialRefused("/private", 401)
	b.Get("/login").ExpectContains("<form")
	b.PostForm("/login", url.Values{"name": {"ann"}}).ExpectRedirect("/")
	c := b.Dial("/private")
	c.Write("hello")
	c.Expect("hello")
}

// A hundred people in a room hear the same, in the same order.
func ExampleCrowd() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.WebSocket("/room", func() wsframework.Handler { return new(room) })

	crowd := wstest.Crowd(t, app, "/room", 100, func(i int) []wstest.Option {
		return []wstest.Option{wstest.User(i)}
	})
	for _, c := range crowd {
		c.Write("hello")
	}
	crowd.ExpectSame(100)
}

// A peer may behave badly.
func ExampleClient_StopReading() {
	app := wsframework.NewApplication(wsframework.Settings{MaxPendingOut: 1 << 10})
	app.WebSocket("/echo", func() wsframework.Handler { return new(echo) })

	c := wstest.Dial(t, app, "/echo")
	c.StopReading()
	for range 10 {
		c.Write("what does the handler do with a peer that never reads?")
	}
	c.ResumeReading()
	c.ExpectMatch("never reads")
}

// A store that does not answer closes nobody for a while.
func ExampleStore_Fail() {
	sessions, store := wstest.NewSessions(), wstest.NewStore()
	sessions.Store = store
	app := newSite(sessions)

	c := wstest.Dial(t, app, "/private", wstest.Session("user", "ann"))
	store.Fail(wsframework.ErrUnavailable)
	c.Write("who")
	c.Expect("ann")
}
