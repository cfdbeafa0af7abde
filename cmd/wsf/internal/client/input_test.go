package client

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseInput(t *testing.T) {
	for _, test := range []struct {
		line  string
		want  input
		wrong string
	}{
		{line: "", want: input{kind: inputNothing}},
		{line: "  ", want: input{kind: inputNothing}},
		{line: "hello", want: input{kind: inputText, text: "hello"}},
		{line: " /ping", want: input{kind: inputText, text: " /ping"}},
		{line: "//ping", want: input{kind: inputText, text: "/ping"}},
		{line: "//", want: input{kind: inputText, text: "/"}},
		{line: "/ping", want: input{kind: inputPing, data: []byte{}}},
		{line: "/ping a b", want: input{kind: inputPing, data: []byte("a b")}},
		{line: "/ping " + strings.Repeat("x", 126), wrong: "125 bytes"},
		{line: "/close", want: input{kind: inputClose, code: 1000}},
		{line: "/close 4000", want: input{kind: inputClose, code: 4000}},
		{line: "/close 3000 see you", want: input{kind: inputClose, code: 3000, text: "see you"}},
		{line: "/close bye", wrong: "/close 1000 bye"},
		{line: "/close 1005", wrong: "may not be sent"},
		{line: "/close 5000", wrong: "may not be sent"},
		{line: "/close 1000 " + strings.Repeat("é", 62), wrong: "123 bytes"},
		{line: "/binary 00ff 10", want: input{kind: inputBinary, data: []byte{0, 255, 16}}},
		{line: "/binary", wrong: "hexadecimal"},
		{line: "/binary 0", wrong: "hexadecimal"},
		{line: "/binary xy", wrong: "hexadecimal"},
		{line: "/help", want: input{kind: inputHelp}},
		{line: "/quit now", wrong: "there is no command /quit; /help lists them, and //quit"},
		{line: "/", wrong: "there is no command"},
	} {
		got, err := parseInput(test.line)
		switch {
		case test.wrong != "":
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: %+v, error %v; want an error with %q", test.line, got, err, test.wrong)
			}
		case err != nil || !reflect.DeepEqual(got, test.want):
			t.Errorf("%q: %+v, error %v; want %+v", test.line, got, err, test.want)
		}
	}
}

// Every text can be sent: as it is, or with a slash before it.
func FuzzParseInput(f *testing.F) {
	f.Add("/close 1000 a")
	f.Add("//a")
	f.Fuzz(func(t *testing.T, text string) {
		if strings.TrimSpace(text) == "" {
			return
		}
		line := text
		if strings.HasPrefix(text, "/") {
			line = "/" + text
		}
		got, err := parseInput(line)
		if err != nil || got.kind != inputText || got.text != text {
			t.Errorf("%q: %+v, error %v", line, got, err)
		}
		parseInput(text)
	})
}
