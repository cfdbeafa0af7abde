package wsframework_test

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

type (
	account  struct{ Name, Password string }
	stringer struct{ account }
	valuer   struct{ account }
	userID   int64
)

func (s stringer) String() string       { return "stringer " + s.Name }
func (v *valuer) LogValue() slog.Value  { return slog.StringValue("valuer " + v.Name) }
func (v *valuer) String() string        { return "not this one" }
func secretAccount(name string) account { return account{name, "swordfish"} }

// A log line shows a user only as far as that can't give secrets away.
func TestUserInTheLog(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		for _, tt := range []struct {
			user any
			want string
		}{
			{nil, ""},
			{"ann", "user=ann"},
			{color("red"), "user=red"},
			{7, "user=7"},
			{userID(8), "user=8"},
			{uint16(9), "user=9"},
			{true, "user=true"},
			{stringer{secretAccount("ann")}, `user="stringer ann"`},
			{&stringer{secretAccount("ann")}, `user="stringer ann"`},
			{&valuer{secretAccount("ann")}, `user="valuer ann"`},
			{secretAccount("ann"), "user=wsframework_test.account"},
			{&account{"ann", "swordfish"}, "user=*wsframework_test.account"},
			{map[string]string{"password": "swordfish"}, "user=map[string]string"},
			{[]byte("swordfish"), "user=[]uint8"},
		} {
			s := n.probes(t, wsframework.Settings{}, func(p *probe) {
				p.user = func() (any, error) { return tt.user, nil }
				p.open = func() error { p.Logger().Info("said by the handler"); return errFailing }
				p.subproto = func(offered []string) string {
					if len(offered) > 0 {
						return "not offered"
					}
					return ""
				}
			}, wsframework.Name("route"))
			s.refused("/ws", 500, wstest.Subprotocols("a"))
			shake(t, s.connect(), 1011, "")
			lines := slices.Collect(strings.Lines(s.log.String()))
			if len(lines) != 3 {
				t.Fatalf("log:\n%s", s.log)
			}
			for i, part := range []string{"handshake refused", "said by the handler", "a callback failed"} {
				if !strings.Contains(lines[i], part) || !strings.Contains(lines[i], "route=route") || !strings.Contains(lines[i], "remote=127.0.0.1:") ||
					tt.want != "" && !strings.Contains(lines[i], " "+tt.want) || tt.want == "" && strings.Contains(lines[i], "user") ||
					strings.Contains(lines[i], "swordfish") {
					t.Errorf("user %T: %s", tt.user, lines[i])
				}
			}
			if failed := lines[2]; !strings.Contains(failed, "level=ERROR") || !strings.Contains(failed, "callback=Open") || !strings.Contains(failed, "code=1011") ||
				!strings.Contains(failed, `cause="Open: failing"`) || strings.Contains(failed, "stack=") {
				t.Errorf("the line of a failed callback: %s", failed)
			}
		}
	})
}

// Errors that close nothing get a line now and then, which counts those that got none.
func TestHarmlessErrorsInTheLog(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		replies := map[string]error{
			"slow":        fmt.Errorf("sending: %w", wsframework.ErrSlowConsumer),
			"unavailable": fmt.Errorf("publishing: %w", wsframework.ErrUnavailable),
			"closed":      fmt.Errorf("sending: %w", wsframework.ErrClosed),
		}
		s, p, cl := one(t, n, wsframework.Settings{PingInterval: -1}, func(p *probe) {
			p.message = func(m wsframework.Message) error { return replies[m.String()] }
		})
		for second := range 25 {
			cl.Write("closed") // these are no news at all
			cl.Write([]string{"slow", "unavailable"}[second%2])
			<-time.After(time.Second)
		}
		lines := slices.Collect(strings.Lines(s.log.String()))
		want := []string{
			`cause="sending: ` + wsframework.ErrSlowConsumer.Error() + `" more=0`,
			`cause="sending: ` + wsframework.ErrSlowConsumer.Error() + `" more=9`,
			`cause="sending: ` + wsframework.ErrSlowConsumer.Error() + `" more=9`,
		}
		if len(lines) != len(want) {
			t.Fatalf("log:\n%s", s.log)
		}
		for i, line := range lines {
			if !strings.Contains(line, want[i]) || !strings.Contains(line, "level=WARN") || !strings.Contains(line, "callback=OnMessage") || !strings.Contains(line, "route=/ws") {
				t.Errorf("%s\nlacks %s", line, want[i])
			}
		}
		if !p.IsOpen() {
			t.Error("closed")
		}
	})
}

// The default logger is the one there is when the application is made.
func TestDefaultLogger(t *testing.T) {
	old := slog.Default()
	defer slog.SetDefault(old)
	log := wstest.NewLog(t)
	slog.SetDefault(log.Logger(slog.LevelInfo))
	app := wsframework.NewApplication(wsframework.Settings{})
	slog.SetDefault(quiet)
	app.WebSocket("/ws", func() wsframework.Handler { return new(misspelt) })
	if !strings.Contains(log.String(), "OnOpen") {
		t.Errorf("log %q", log)
	}
}
