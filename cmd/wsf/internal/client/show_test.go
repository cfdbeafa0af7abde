package client

import (
	"errors"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

func TestStyle(t *testing.T) {
	text := func(s string) wsframework.Message {
		return wsframework.Message{Type: wsframework.TextMessage, Data: []byte(s)}
	}
	at := func() time.Time { return time.Date(2024, 5, 6, 7, 8, 9, 10e6, time.UTC) }
	for _, test := range []struct {
		style   style
		message wsframework.Message
		want    string
	}{
		{style{}, text("你好"), "< 你好"},
		{style{}, text("two\nlines\t."), "< two\nlines\t."},
		{style{}, text("\x1b]0;evil\a \u202e \r"), `< \x1b]0;evil\a \u202e \r`},
		{style{colors: true}, text("a"), "\x1b[36m< \x1b[0ma"},
		{style{times: true, now: at}, text("a"), "07:08:09.010 < a"},
		{style{pretty: true}, text(`{"a":[1]}`), "< {\n  \"a\": [\n    1\n  ]\n}"},
		{style{pretty: true}, text("no JSON"), "< no JSON"},
		{style{}, text(`{"a":1}`), `< {"a":1}`},
		{style{}, wsframework.Message{Type: wsframework.BinaryMessage}, "< binary, 0 bytes"},
		{style{}, wsframework.Message{Type: wsframework.BinaryMessage, Data: []byte("a\x00")},
			"< binary, 2 bytes\n00000000  61 00                                             |a.|"},
	} {
		if got := test.style.message(test.message); got != test.want {
			t.Errorf("%q\nwant %q", got, test.want)
		}
	}
	s := style{colors: true, times: true, now: at}
	if got, want := s.problem(errors.New("wsframework: x")), "\x1b[2m07:08:09.010\x1b[0m \x1b[31m! x\x1b[0m"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestWantsColors(t *testing.T) {
	for _, test := range []struct {
		term, noColor string
		want          bool
	}{
		{"xterm", "", true},
		{"dumb", "", false},
		{"xterm", "1", false},
	} {
		t.Setenv("TERM", test.term)
		t.Setenv("NO_COLOR", test.noColor)
		if got := wantsColors(); got != test.want {
			t.Errorf("%+v: %v", test, got)
		}
	}
}
