package client

import (
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestKeys(t *testing.T) {
	for _, test := range []struct {
		sent string
		want []key
	}{
		{"a", []key{{keyText, "a"}}},
		{"né\r", []key{{keyText, "né"}, {name: keyEnter}}},
		{"\x1b[A\x1b[B\x1bOC\x1b[D", []key{{name: keyUp}, {name: keyDown}, {name: keyRight}, {name: keyLeft}}},
		{"\x1b[1~\x1b[4~\x1b[3~", []key{{name: keyLineStart}, {name: keyLineEnd}, {name: keyDelete}}},
		{"\x1b[1;5C\x1bb\x1b\x7f", []key{{name: keyWordRight}, {name: keyWordLeft}, {name: keyKillWord}}},
		{"\x03\x04\x7f\x15", []key{{name: keyInterrupt}, {name: keyEnd}, {name: keyBackspace}, {name: keyKillLeft}}},
		{"\x1b[200~x", []key{{keyText, "x"}}},
		{"\x1b\x1b[A", []key{{name: keyUp}}},
		{"\x00\x1ax\u0085", []key{{keyText, "x"}}},
		{"\xff!", []key{{keyText, "\uFFFD!"}}},
		{"a\tb", []key{{keyText, "a\tb"}}},
	} {
		var whole keyReader
		if got := whole.feed([]byte(test.sent)); !slices.Equal(got, test.want) {
			t.Errorf("%q: %v, want %v", test.sent, got, test.want)
		}
	}
}

// It is the same whichever way a terminal cuts it in pieces, and nothing that steers becomes text.
func FuzzKeys(f *testing.F) {
	f.Add("né\r\x1b[A\x1b[1;5Cb", 3)
	f.Add("\xe4\xbd", 1)
	f.Fuzz(func(t *testing.T, sent string, cut int) {
		cut = max(0, min(cut, len(sent)))
		var whole, pieces keyReader
		want := joinKeys(whole.feed([]byte(sent)))
		got := joinKeys(append(pieces.feed([]byte(sent[:cut])), pieces.feed([]byte(sent[cut:]))...))
		if !slices.Equal(got, want) {
			t.Errorf("%q cut at %d: %v, want %v", sent, cut, got, want)
		}
		for _, k := range want {
			if !utf8.ValidString(k.text) || strings.ContainsAny(k.text, "\x1b\r\n\x03") {
				t.Errorf("%q became the text %q", sent, k.text)
			}
		}
	})
}

// joinKeys joins texts that follow each other.
func joinKeys(keys []key) (joined []key) {
	for _, k := range keys {
		if last := len(joined) - 1; k.name == keyText && last >= 0 && joined[last].name == keyText {
			joined[last].text += k.text
			continue
		}
		joined = append(joined, k)
	}
	return joined
}

func TestLine(t *testing.T) {
	const left, right, start, end = "\x02", "\x06", "\x01", "\x05"
	for _, test := range []struct{ typed, want string }{
		{"abc", "abc|"},
		{"abc" + left + "x", "abx|c"},
		{"abc" + start + "x" + end + "y", "xabcy|"},
		{"abc" + left + left + right + right + right + "x", "abcx|"},
		{left + "\x7f\x1b[3~a", "a|"},
		{"abc\x7f", "ab|"},
		{"abc" + start + "\x1b[3~", "|bc"},
		{"abc" + start + "\x04", "|bc"},
		{"one two\x17", "one |"},
		{"one two \x17", "one |"},
		{"one two\x1bb\x15", "|two"},
		{"one two" + start + "\x1bf\x0b", "one|"},
		{"你好" + left + "们", "你们|好"},
		{"e\u0301\x7f", "|"},
		{"e" + "\u0301" + left + "x", "x|e\u0301"},
		{"👩‍👩‍👧a" + left + left + "\x1b[3~", "|a"},
	} {
		var keys keyReader
		var l line
		for _, k := range keys.feed([]byte(test.typed)) {
			l.edit(k)
		}
		got := strings.Join(l.characters[:l.cursor], "") + "|" + strings.Join(l.characters[l.cursor:], "")
		if got != test.want {
			t.Errorf("%q: %q, want %q", test.typed, got, test.want)
		}
	}
}

func TestWindow(t *testing.T) {
	for _, test := range []struct {
		text    string
		left    int // how often
		columns int
		want    string
		cursor  int
	}{
		{"abc", 0, 10, "abc", 3},
		{"abcdef", 0, 4, "def", 3},
		{"abcdef", 3, 4, "abcd", 3},
		{"abcdef", 6, 4, "abcd", 0},
		{"你好吗", 0, 10, "你好吗", 6},
		{"你好吗", 0, 4, "吗", 2},
		{"你好吗", 1, 6, "你好吗", 4},
		{"a\tb", 0, 10, "a b", 3},
	} {
		var l line
		l.set(test.text)
		l.cursor -= test.left
		if got, cursor := l.window(test.columns); got != test.want || cursor != test.cursor {
			t.Errorf("%q in %d columns: %q with the cursor at %d, want %q and %d", test.text, test.columns, got, cursor, test.want, test.cursor)
		}
	}
}

// The line never takes more than its row, the cursor included.
func FuzzWindow(f *testing.F) {
	f.Add("a你\t👩‍👩‍👧e\u0301", 3, 5)
	f.Fuzz(func(t *testing.T, text string, cursor, columns int) {
		var keys keyReader
		var l line
		for _, k := range keys.feed([]byte(text)) {
			if k.name == keyText {
				l.edit(k)
			}
		}
		l.cursor = max(0, min(cursor, len(l.characters)))
		columns = max(2, min(columns, 200))
		shown, at := l.window(columns)
		wide := 0
		for _, c := range charactersOf(shown) {
			_, columns := cells(c)
			wide += columns
		}
		if at < 0 || at >= columns || wide > columns {
			t.Errorf("%q, cursor %d: %q (%d columns), cursor %d, in %d columns", l.String(), l.cursor, shown, wide, at, columns)
		}
	})
}
