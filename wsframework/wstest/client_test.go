package wstest_test

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// What a client can do, on each network.
func TestClient(t *testing.T) {
	test := func(t *testing.T, options ...wstest.Option) {
		app := newApp(wsframework.Settings{})
		dial := func(path string, more ...wstest.Option) *wstest.Client {
			t.Helper()
			return wstest.Dial(t, app, path, append(more, options...)...)
		}
		c := dial("/echo", wstest.User("小明"), wstest.Subprotocols("v1", "v2"))
		if c.Subprotocol() != "v2" {
			t.Errorf("subprotocol %q", c.Subprotocol())
		}
		c.Write("who")
		c.Expect("小明")
		c.WriteJSON(map[string]any{"b": []int{1, 2}, "a": "x"})
		c.ExpectJSON(`{"a": "x", "b": [1, 2]}`)
		c.WriteJSON(int64(1234567890123456789))
		c.ExpectJSON(int64(1234567890123456789))
		c.Write(`{"name": "ann"}`)
		var person struct{ Name string }
		if c.ReceiveJSON(&person); person.Name != "ann" {
			t.Errorf("person %v", person)
		}
		c.WriteBinary([]byte{0, 255})
		c.ExpectBinary([]byte{0, 255})
		c.Write("I am 7")
		if match := c.ExpectMatch(`am (\d)`); match[1] != "7" {
			t.Errorf("match %q", match)
		}
		c.Ping("hello")
		c.ExpectPong("hello")
		c.Write("ping")
		c.ExpectPing("are you there")
		c.ExpectNothing(time.Millisecond)
		large := strings.Repeat("大", 100_000)
		c.Write(large)
		c.Expect(large)
		c.WriteFrame(0x01, "in ")
		c.WriteFrame(wstest.PingFrame, "between")
		c.WriteFrame(0x80, "two")
		c.ExpectPong("between")
		if m := c.Receive(); m.Type != wsframework.TextMessage || m.String() != "in two" {
			t.Errorf("message %v", m)
		}
		c.Close(1000, "bye")

		c = dial("/echo")
		c.Write("leave")
		if reason := c.ExpectClose(4000); reason != "as you wish" {
			t.Errorf("reason %q", reason)
		}
		c.ExpectEnd()

		c = dial("/echo")
		c.WriteRaw(wstest.EncodeFrame(0x83, nil))
		c.ExpectClose(1002)

		page := wstest.DialRefused(t, app, "/private", 401, options...)
		page.ExpectContains("Log in")
	}
	t.Run("memory", func(t *testing.T) { test(t) })
	t.Run("bubble", func(t *testing.T) { synctest.Test(t, func(t *testing.T) { test(t) }) })
	t.Run("tcp", func(t *testing.T) { test(t, wstest.TCP()) })
	t.Run("tls", func(t *testing.T) { test(t, wstest.TLS()) })
}

// Each of these tests fails, and says why, with what went over the connection.
func TestFailures(t *testing.T) {
	for name, test := range map[string]struct {
		of   func(c *wstest.Client)
		want []string
	}{
		"another text": {func(c *wstest.Client) { c.Write("a"); c.Expect("b") },
			[]string{`/echo: want text "b", but got text "a"`, `-> text "a"`, `<- text "a"`}},
		"binary for text": {func(c *wstest.Client) { c.WriteBinary([]byte{0, 254}); c.Expect("b") },
			[]string{`want text "b", but got binary 00 fe`}},
		"text in a binary message": {func(c *wstest.Client) { c.WriteBinary([]byte("明")); c.Expect("b") },
			[]string{`but got binary "明"`}},
		"nothing": {func(c *wstest.Client) { c.Write("stay silent"); c.Expect("b") },
			[]string{`want text "b" within 10s, but nothing came`, `-> text "stay silent"`}},
		"no message, but a close": {func(c *wstest.Client) { c.Write("leave"); c.Expect("b") },
			[]string{`want text "b", but got close 4000 "as you wish"`}},
		"no match": {func(c *wstest.Client) { c.Write("a"); c.ExpectMatch("^[b-z]$") },
			[]string{"want text that matches \"^[b-z]$\", but got text \"a\""}},
		"no expression": {func(c *wstest.Client) { c.ExpectMatch("(") }, []string{"missing closing )"}},
		"no JSON":       {func(c *wstest.Client) { c.Write("a"); c.ExpectJSON(1) }, []string{`want JSON "1", but got text "a"`}},
		"no JSON is wanted": {func(c *wstest.Client) { c.Write("a"); c.ExpectJSON("{") },
			[]string{"ExpectJSON wants what is no JSON"}},
		"more than JSON": {func(c *wstest.Client) { c.Write("1 2"); c.ExpectJSON(1) }, []string{`but got text "1 2"`}},
		"other JSON": {func(c *wstest.Client) {
			c.Write(`{"a": 1, "b": [1, 2]}`)
			c.ExpectJSON(map[string]any{"a": 1, "b": []int{1, 3}})
		}, []string{"other JSON than expected (- wanted, + got):\n  {\n    \"a\": 1,\n    \"b\": [\n      1,\n-     3\n+     2\n    ]\n  }"}},
		"JSON of another type": {func(c *wstest.Client) { c.Write("[]"); c.ReceiveJSON(new(int)) }, []string{"want JSON for *int"}},
		"something": {func(c *wstest.Client) { c.Write("a"); c.ExpectNothing(time.Second) },
			[]string{`want nothing for 1s, but got text "a"`}},
		"another code": {func(c *wstest.Client) { c.Write("leave"); c.ExpectClose(1000) },
			[]string{`want a close frame with 1000, but got close 4000 "as you wish"`}},
		"a message before the close": {func(c *wstest.Client) { c.Write("a"); c.ExpectClose(1000) },
			[]string{`want a close frame with 1000, but got text "a"`}},
		"another pong":   {func(c *wstest.Client) { c.Ping("a"); c.ExpectPong("b") }, []string{`want pong "b", but got pong "a"`}},
		"no end":         {func(c *wstest.Client) { c.Write("a"); c.ExpectEnd() }, []string{`want the end of the connection, but got text "a"`}},
		"a bad close":    {func(c *wstest.Client) { c.Close(1005, ""); c.Close(1000, "") }, []string{`sending close 1000 ""`}},
		"a refused code": {func(c *wstest.Client) { c.Close(1006, "") }, []string{"want the close frame with 1006 answered with the same code, but got close 1002"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				got := failing(t, func(t testing.TB) {
					test.of(wstest.Dial(t, newApp(wsframework.Settings{}), "/echo"))
				})
				for _, want := range test.want {
					if !strings.Contains(got, want) {
						t.Errorf("the failure lacks %q:\n%s", want, got)
					}
				}
			})
		})
	}
}

// The times of a failure are those of the messages.
func TestFailureTellsWhen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := failing(t, func(t testing.TB) {
			c := wstest.Dial(t, newApp(wsframework.Settings{}), "/echo", wstest.Within(3*time.Second))
			c.ExpectNothing(2 * time.Second) // of fake time
			c.Write(`say "hi"`)
			c.Expect(`say "hi"`)
			c.Expect("more")
		})
		for _, want := range []string{
			`want text "more" within 3s, but nothing came`, "2s -> text `say \"hi\"`", "2s <- text `say \"hi\"`",
		} {
			if !strings.Contains(got, want) {
				t.Errorf("the failure lacks %q:\n%s", want, got)
			}
		}
	})
}

func TestLongHistory(t *testing.T) {
	got := failing(t, func(t testing.TB) {
		c := wstest.Dial(t, newApp(wsframework.Settings{}), "/echo")
		for i := range 100 {
			c.Write(fmt.Sprint("message ", i))
			c.Expect(fmt.Sprint("message ", i))
		}
		c.Write(strings.Repeat("长", 1000))
		c.Expect("")
	})
	for _, want := range []string{"after 152 others", `"message 99"`, "… (3000 bytes)"} {
		if !strings.Contains(got, want) {
			t.Errorf("the failure lacks %q:\n%s", want, got)
		}
	}
	if strings.Contains(got, `"message 70"`) {
		t.Errorf("the failure has too much:\n%s", got)
	}
}

func TestRefusals(t *testing.T) {
	app := newApp(wsframework.Settings{})
	wstest.DialRefused(t, app, "/nowhere", 404)
	wstest.DialRefused(t, app, "/echo", 0, wstest.Header("Sec-WebSocket-Version", "12"))
	wstest.DialRefused(t, app, "/echo", 403, wstest.Origin("https://elsewhere.example"))
	wstest.Dial(t, app, "/echo", wstest.Origin("http://example.com")).Close(1000, "")
	wstest.DialRefused(t, app, "/echo", 400, wstest.Header("Sec-WebSocket-Key", ""))
	for name, test := range map[string]struct {
		of   func(t testing.TB)
		want string
	}{
		"a refusal": {func(t testing.TB) { wstest.Dial(t, app, "/nowhere") }, "the handshake on /nowhere was answered with 404"},
		"none":      {func(t testing.TB) { wstest.DialRefused(t, app, "/echo", 404) }, "was accepted, want it refused"},
		"another":   {func(t testing.TB) { wstest.DialRefused(t, app, "/private", 404) }, "was refused with 401 Unauthorized, want 404"},
		"no network": {func(t testing.TB) {
			wstest.Dial(t, app, "/echo", wstest.Via(func() (net.Conn, error) { return nil, errors.New("no route") }))
		}, "connecting: no route"},
		"a user from elsewhere": {func(t testing.TB) {
			wstest.Dial(t, app, "/echo", wstest.User("ann"), wstest.Via(func() (net.Conn, error) { return nil, nil }))
		}, "User does not work with Via"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := failing(t, test.of); !strings.Contains(got, test.want) {
				t.Errorf("the failure lacks %q: %s", test.want, got)
			}
		})
	}
}

func TestManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		crowd := wstest.Crowd(t, newApp(wsframework.Settings{}), "/room", 50, func(i int) []wstest.Option {
			return []wstest.Option{wstest.User(i)}
		})
		crowd[0].Write("hello")
		crowd.Expect("hello")
		for i, c := range crowd {
			c.Write(fmt.Sprint(i))
		}
		if got := crowd.ExpectSame(50); len(got) != 50 {
			t.Errorf("got %d messages", len(got))
		}
		crowd.ExpectNothing(time.Second)
		crowd.Close(1000, "")
	})
}

// Dial waits for Open, unless it is not to.
func TestOpenThatTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		app := wsframework.NewApplication(wsframework.Settings{Logger: wstest.NewLog(t).Logger(nil)})
		app.WebSocket("/slow", func() wsframework.Handler { return new(slow) })
		began := time.Now()
		wstest.Dial(t, app, "/slow", wstest.NoWait()).Vanish()
		if took := time.Since(began); took > 0 {
			t.Errorf("it took %v", took)
		}
		wstest.Dial(t, app, "/slow").Close(1000, "")
		if took := time.Since(began); took != 5*time.Second {
			t.Errorf("it took %v", took)
		}
		want := "/slow: Open has not returned within 4s"
		if got := failing(t, func(t testing.TB) { wstest.Dial(t, app, "/slow", wstest.Within(4*time.Second)) }); !strings.Contains(got, want) {
			t.Errorf("the failure lacks %q: %s", want, got)
		}
	})
}

type slow struct{ echo }

func (h *slow) Open() error { <-time.After(5 * time.Second); return nil }

// A room that sends in no particular order is found out.
func TestCrowdOutOfOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		got := failing(t, func(t testing.TB) {
			crowd := wstest.Crowd(t, newApp(wsframework.Settings{}), "/echo", 2, nil)
			crowd[0].Write("a")
			crowd[0].Write("b")
			crowd[1].Write("b")
			crowd[1].Write("a")
			crowd.ExpectSame(2)
		})
		if want := `message 0 differs: client 0 got "a", client 1 got "b"`; !strings.Contains(got, want) {
			t.Errorf("the failure lacks %q: %s", want, got)
		}
	})
}
