package client

import (
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
)

func TestParseHeaders(t *testing.T) {
	got, err := parseHeaders([]string{"x-a: 1", "X-A:2", "Accept: a: b"})
	want := http.Header{"X-A": {"1", "2"}, "Accept": {"a: b"}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, error %v; want %v", got, err, want)
	}
	for text, wrong := range map[string]string{
		"no colon":        "write --header 'Name: value'",
		": value":         "no name",
		"two words: a":    "no name",
		"a: b\r\nEvil: c": "control character",
	} {
		if got, err := parseHeaders([]string{text}); err == nil || !strings.Contains(err.Error(), wrong) {
			t.Errorf("%q: %v, error %v; want an error with %q", text, got, err, wrong)
		}
	}
}

func TestParseCookies(t *testing.T) {
	got, err := parseCookies([]string{"a=1", "b=x=y"})
	if err != nil || len(got) != 2 || got[0].Name != "a" || got[1].Value != "x=y" {
		t.Errorf("%v, error %v", got, err)
	}
	for _, text := range []string{"", "a", "=b", "a=1; b=2", "a=\x00"} {
		if got, err := parseCookies([]string{text}); err == nil {
			t.Errorf("%q: %v", text, got)
		} else if strings.Contains(err.Error(), "b=2") {
			t.Errorf("the error tells the value: %v", err)
		}
	}
}

func TestParseForm(t *testing.T) {
	got, err := parseForm([]string{"name=ann", "tag=a", "tag=b", "text=a=b", "empty="})
	want := url.Values{"name": {"ann"}, "tag": {"a", "b"}, "text": {"a=b"}, "empty": {""}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, error %v; want %v", got, err, want)
	}
	for _, text := range []string{"", "name", "=x"} {
		if got, err := parseForm([]string{text}); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestCheckSubprotocols(t *testing.T) {
	if err := checkSubprotocols([]string{"chat.v2", "chat.v1"}); err != nil {
		t.Error(err)
	}
	for _, offered := range [][]string{{""}, {"a,b"}, {"a b"}, {"a", "a"}} {
		if checkSubprotocols(offered) == nil {
			t.Errorf("%q was taken", offered)
		}
	}
}

func TestBasicAuth(t *testing.T) {
	if got, err := basicAuth("ann:pass:word"); err != nil || got != "Basic YW5uOnBhc3M6d29yZA==" {
		t.Errorf("%q, error %v", got, err)
	}
	if _, err := basicAuth("ann"); err == nil || strings.Contains(err.Error(), "ann") {
		t.Errorf("error %v", err)
	}
}
