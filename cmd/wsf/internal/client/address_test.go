package client

import (
	"net/url"
	"strings"
	"testing"
)

func TestParseAddress(t *testing.T) {
	for _, test := range []struct{ text, want, wrong string }{
		{text: "ws://example.com/a?b=c", want: "ws://example.com/a?b=c"},
		{text: "wss://example.com", want: "wss://example.com"},
		{text: "http://example.com/a", want: "ws://example.com/a"},
		{text: "https://example.com:8443/a", want: "wss://example.com:8443/a"},
		{text: "localhost:8000/websocket", want: "ws://localhost:8000/websocket"},
		{text: "app.localhost/x", want: "ws://app.localhost/x"},
		{text: "127.0.0.1:8000", want: "ws://127.0.0.1:8000"},
		{text: "[::1]:8000/a", want: "ws://[::1]:8000/a"},
		{text: ":8000/a", want: "ws://localhost:8000/a"},
		{text: "example.com/a", wrong: "write wss://example.com/a"},
		{text: "10.0.0.1:80", wrong: "has no scheme"},
		{text: "", wrong: "no URL"},
		{text: "/websocket", wrong: "no URL"},
		{text: "ftp://example.com", wrong: "in place of ftp://"},
		{text: "ws:///path", wrong: "names no host"},
		{text: "ws://h/a#b", wrong: "leave #b out"},
		{text: "ws://h:port/", wrong: "malformed"},
		{text: "localhost:port", wrong: "no URL"},
	} {
		got, err := parseAddress(test.text)
		switch {
		case test.wrong != "":
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: %v, error %v; want an error with %q", test.text, got, err, test.wrong)
			}
		case err != nil || got.String() != test.want:
			t.Errorf("%q: %v, error %v; want %s", test.text, got, err, test.want)
		}
	}
}

func TestPageAddress(t *testing.T) {
	for _, test := range []struct{ socket, text, want, wrong string }{
		{socket: "ws://h:1/ws", text: "/login?next=/", want: "http://h:1/login?next=/"},
		{socket: "wss://ann:secret@h/ws", text: "/login", want: "https://h/login"},
		{socket: "ws://h/ws", text: "https://other/login", want: "https://other/login"},
		{socket: "ws://h/ws", text: "login", wrong: "or /login"},
		{socket: "ws://h/ws", text: "ws://h/login", wrong: "begins with http"},
		{socket: "ws://h/ws", text: "http://h:x/", wrong: "malformed"},
	} {
		socket, err := url.Parse(test.socket)
		if err != nil {
			t.Fatal(err)
		}
		got, err := pageAddress(socket, test.text)
		switch {
		case test.wrong != "":
			if err == nil || !strings.Contains(err.Error(), test.wrong) {
				t.Errorf("%q: %v, error %v; want an error with %q", test.text, got, err, test.wrong)
			}
		case err != nil || got.String() != test.want:
			t.Errorf("%q: %v, error %v; want %s", test.text, got, err, test.want)
		}
	}
}

// What is taken is a URL that Connect takes.
func FuzzParseAddress(f *testing.F) {
	f.Add("localhost:8000/a")
	f.Add("https://h/?a=b#c")
	f.Add(":1")
	f.Add("[::1%25lo]:1")
	f.Fuzz(func(t *testing.T, text string) {
		address, err := parseAddress(text)
		if err != nil {
			return
		}
		again, err := url.Parse(address.String())
		if err != nil || again.Host == "" || again.Fragment != "" || again.Scheme != "ws" && again.Scheme != "wss" {
			t.Errorf("%q became %q: %v", text, address, err)
		}
	})
}
