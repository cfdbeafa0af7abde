package wsframework

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

func TestArguments(t *testing.T) {
	tests := []struct {
		query string
		want  []string
	}{
		{"", nil},
		{"b=1", nil},
		{"a=", []string{""}},
		{"a", []string{""}},
		{"a=1", []string{"1"}},
		{"a=1&b=x&a=2", []string{"1", "2"}},
		{"a=+%09%0D%0A1+2%20%0A", []string{"1 2"}},
		{"a=1%002%1F3", []string{"1 2 3"}},
		{"a=%00%001%08%0E", []string{"1"}},
		{"a=1%09%0A%0B%0C%0D2%7F%C2%85", []string{"1\t\n\v\f\r2\x7f"}},
		{"a=%C2%A0%E2%80%83x%E3%80%80", []string{"x"}},
		{"a=%E5%86%8D&a=%F0%9F%98%80", []string{"再", "😀"}},
	}
	for _, tt := range tests {
		values := must(url.ParseQuery(tt.query))
		if got := allArguments(values, "a"); !slices.Equal(got, tt.want) {
			t.Errorf("%q: %q, want %q", tt.query, got, tt.want)
		}
		got, ok := lastArgument(values, "a")
		if ok != (len(tt.want) > 0) || ok && got != tt.want[len(tt.want)-1] || !ok && got != "" {
			t.Errorf("%q: %q, %v, want the last of %q", tt.query, got, ok, tt.want)
		}
	}
}

func TestCheckArguments(t *testing.T) {
	for query, ok := range map[string]bool{"": true, "a=1&b=%C3%A9": true, "a=%FF": false, "a=1&a=%C3": false, "%FF=1": false, "%FF": false} {
		err := checkArguments(must(url.ParseQuery(query)))
		if ok != (err == nil) {
			t.Errorf("%q: %v", query, err)
		}
		if err != nil {
			checkBadArgument(t, err, " is not valid UTF-8: ")
		}
	}
}

// checkBadArgument checks an error that goes to the visitor.
func checkBadArgument(t *testing.T, err error, part string) {
	t.Helper()
	var refusal *HTTPError
	if !errors.As(err, &refusal) || refusal.Status != http.StatusBadRequest || !strings.Contains(refusal.Message, part) {
		t.Fatalf("%v, want 400 with …%s…", err, part)
	}
	if strings.ContainsFunc(refusal.Message, unicode.IsControl) || !utf8.ValidString(refusal.Message) || len(refusal.Message) > 1000 {
		t.Fatalf("%q is not fit to be shown", refusal.Message)
	}
}

func TestArgumentErrors(t *testing.T) {
	_, err := parseInt("n", "x")
	checkBadArgument(t, err, `The argument "n" is not a whole number: "x".`)
	_, err = parseInt("n", "99999999999999999999")
	checkBadArgument(t, err, `The argument "n" is too large or too small: "99999999999999999999".`)
	_, err = parseInt("n\n", strings.Repeat("再\x00", 5000))
	checkBadArgument(t, err, `The argument "n\n" is not a whole number: "再\x00再`)
	_, err = parseInt("n", "a"+strings.Repeat("再", 50))
	checkBadArgument(t, err, `: "a`+strings.Repeat("再", 19)+`…".`)
	_, err = parseBool("all", "maybe\x1b[0m")
	checkBadArgument(t, err, `The argument "all" is neither true nor false: "maybe\x1b[0m".`)
	_, err = parseDuration("wait", "soon")
	checkBadArgument(t, err, `The argument "wait" is not a duration like 90 or 1h30m: "soon".`)
	_, err = parseTime("from", "1.7.2026")
	checkBadArgument(t, err, `The argument "from" is not a time like 2026-07-01T12:00:00Z or 2026-07-01: "1.7.2026".`)
	checkBadArgument(t, missingArgument("n"), `The argument "n" is missing.`)
}

func TestParseInt(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "7": 7, "-7": -7, "+7": 7, "007": 7, "2147483647": 1<<31 - 1} {
		if got, err := parseInt("n", text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "1.5", "1e3", "0x10", "1_000", " 1", "1 2", "--1", "٣", "-99999999999999999999"} {
		if got, err := parseInt("n", text); got != 0 || err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestParseBool(t *testing.T) {
	for text, want := range map[string]bool{
		"true": true, "1": true, "on": true, "yes": true, "TRUE": true, "On": true,
		"false": false, "0": false, "off": false, "no": false, "False": false, "NO": false,
	} {
		if got, err := parseBool("b", text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "2", "t", "y", "ja", "true "} {
		if got, err := parseBool("b", text); got || err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestParseDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0": 0, "90": 90 * time.Second, "0.5": time.Second / 2, "-3": -3 * time.Second, "+3": 3 * time.Second, ".5": time.Second / 2,
		"1h30m": 90 * time.Minute, "1.5h": 90 * time.Minute, "250ms": time.Second / 4, "-1m": -time.Minute,
	} {
		if got, err := parseDuration("d", text); got != want || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "1h5", "1 s", "NaN", "Inf", "1e3", "0x1p3", "+-1", "1.2.3", ".", "-", "99999999999999", "1d"} {
		if got, err := parseDuration("d", text); got != 0 || err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestParseTime(t *testing.T) {
	for text, want := range map[string]string{
		"2026-07-01T12:00:00Z":           "2026-07-01T12:00:00Z",
		"2026-07-01T12:00:00+02:00":      "2026-07-01T10:00:00Z",
		"2026-07-01T12:00:00.123456789Z": "2026-07-01T12:00:00.123456789Z",
		"2026-07-01T12:00":               "2026-07-01T12:00:00Z",
		"2026-07-01T12:00:30":            "2026-07-01T12:00:30Z",
		"2026-07-01T12:00:30.5":          "2026-07-01T12:00:30.5Z",
		"2026-07-01":                     "2026-07-01T00:00:00Z",
	} {
		if got, err := parseTime("t", text); err != nil || got.UTC().Format(time.RFC3339Nano) != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "now", "2026-13-01", "2026-02-30", "2026-07-01 12:00", "2026-07", "12:00", "2026-07-01T12:00Z", "1782900000"} {
		if got, err := parseTime("t", text); !got.IsZero() || err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// FuzzArguments: a cleaned value is a fixed point without control characters, and the error about a
// value is always fit to be shown.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{"7", "on", "1h30m", "0.5", "2026-07-01T12:00", " \x00x\x1f ", "\xff", strings.Repeat("再", 50), "\u202e"} {
		f.Add("n", seed)
	}
	f.Fuzz(func(t *testing.T, name, text string) {
		values := url.Values{name: {"first", text}}
		got, ok := lastArgument(values, name)
		again, _ := lastArgument(url.Values{name: {got}}, name)
		if all := allArguments(values, name); !ok || len(all) != 2 || all[1] != got || again != got {
			t.Fatalf("%q: %q, then %q", text, got, again)
		}
		if strings.ContainsFunc(got, func(c rune) bool { return c < ' ' && !strings.ContainsRune("\t\n\v\f\r", c) }) {
			t.Fatalf("%q: %q has control characters", text, got)
		}
		if err := checkArguments(values); (err == nil) != (utf8.ValidString(name) && utf8.ValidString(text)) {
			t.Fatalf("%q: %v", text, err)
		}
		_, err1 := parseInt(name, text)
		_, err2 := parseBool(name, text)
		_, err3 := parseDuration(name, text)
		_, err4 := parseTime(name, text)
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				checkBadArgument(t, err, "The argument ")
			}
		}
	})
}
