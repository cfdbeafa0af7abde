package client

import (
	"bytes"
	"strings"
	"testing"
)

// typeAll presses keys and returns the lines that were entered.
func (t *terminal) typeAll(sent string) (entered []string) {
	var keys keyReader
	for _, k := range keys.feed([]byte(sent)) {
		if happened, ok := t.press(k); ok && happened.kind == eventLine {
			entered = append(entered, happened.line)
		}
	}
	return entered
}

func TestTerminalHistory(t *testing.T) {
	const up, down = "\x1b[A", "\x1b[B"
	for _, test := range []struct{ typed, want string }{
		{up + "\r", "two"},
		{up + up + "\r", "one"},
		{up + up + up + "!\r", "one!"},
		{up + down + "\r", ""},
		{"new" + up + down + "er\r", "newer"},
		{down + "x\r", "x"},
		{"a\r" + up + "\r", "a|a"},
		{" a\r" + up + "\r", " a|two"},
	} {
		term := newTerminal(new(bytes.Buffer), &history{lines: []string{"one", "two"}}, func() int { return 80 })
		if got := strings.Join(term.typeAll(test.typed), "|"); got != test.want {
			t.Errorf("%q: %q, want %q", test.typed, got, test.want)
		}
	}
}

// What is printed takes the line away, and puts it back with the cursor where it was.
func TestTerminalPrint(t *testing.T) {
	var out bytes.Buffer
	term := newTerminal(&out, new(history), func() int { return 20 })
	term.typeAll("你好\x1b[D")
	out.Reset()
	term.Print("a\nb")
	if want := "\r\x1b[Ka\r\nb\r\n\r\x1b[K> 你好\r\x1b[4C"; out.String() != want {
		t.Errorf("%q\nwant %q", out.String(), want)
	}

	out.Reset()
	if got := term.typeAll("\x1b[F" + strings.Repeat("x", 30) + "\r"); len(got) != 1 || len(got[0]) != 36 {
		t.Errorf("%q", got)
	}
	if want := "\r\x1b[K> 你好" + strings.Repeat("x", 30) + "\r\n\r\x1b[K> \r\x1b[2C"; !strings.HasSuffix(out.String(), want) {
		t.Errorf("%q\nends not with %q", out.String(), want)
	}

	out.Reset()
	if err := term.Close(); err != nil {
		t.Fatal(err)
	}
	term.Close()
	term.Print("late")
	term.typeAll("ignored\r")
	if want := "\r\x1b[K\r\x1b[Klate\r\n"; out.String() != want {
		t.Errorf("%q\nwant %q", out.String(), want)
	}
}

func TestTerminalEnds(t *testing.T) {
	term := newTerminal(new(bytes.Buffer), new(history), func() int { return 80 })
	go term.read(strings.NewReader("ab\x02\x04\r\x03\x04"))
	for _, want := range []event{{eventLine, "a"}, {kind: eventInterrupt}, {kind: eventEnd}, {kind: eventEnd}} {
		if got := <-term.Events(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
}

func TestPlainConsole(t *testing.T) {
	var out bytes.Buffer
	c := newPlainConsole(strings.NewReader("a\r\n\nlast"), &out)
	for _, want := range []event{{eventLine, "a"}, {eventLine, ""}, {eventLine, "last"}, {kind: eventEnd}} {
		if got := <-c.Events(); got != want {
			t.Errorf("%+v, want %+v", got, want)
		}
	}
	c.Print("b")
	if err := c.Close(); err != nil || out.String() != "b\n" {
		t.Errorf("%q, error %v", out.String(), err)
	}
}
