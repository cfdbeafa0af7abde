package doctor

import (
	"testing"
	"time"
)

func TestBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "0.00ms",
		23 * time.Microsecond:    "0.02ms",
		1234 * time.Microsecond:  "1.23ms",
		99900 * time.Microsecond: "99ms",
		250 * time.Millisecond:   "250ms",
		1240 * time.Millisecond:  "1.2s",
		25001 * time.Millisecond: "25s",
		75 * time.Second:         "1m15s",
		10 * time.Minute:         "10m0s",
	} {
		if got := brief(d); got != want {
			t.Errorf("%v: %s, want %s", d, got, want)
		}
	}
}

func TestClean(t *testing.T) {
	plain, full := &printer{ascii: true}, &printer{}
	for _, tt := range []struct{ text, plain, full string }{
		{`-> "x"`, `-> "x"`, `-> "x"`},
		{"说", `\u8bf4`, "说"},
		{"\x1b[31m\r\n\u202e", `\x1b[31m\r\n\u202e`, `\x1b[31m\r\n\u202e`},
		{"\x7f\u009b", `\x7f\u009b`, `\x7f\u009b`},
	} {
		if got := plain.clean(tt.text); got != tt.plain {
			t.Errorf("%q in ASCII: %s, want %s", tt.text, got, tt.plain)
		}
		if got := full.clean(tt.text); got != tt.full {
			t.Errorf("%q: %s, want %s", tt.text, got, tt.full)
		}
	}
}

func TestSpeaksUTF8(t *testing.T) {
	for _, tt := range []struct {
		variables map[string]string
		want      bool
	}{
		{map[string]string{"LANG": "en_US.UTF-8"}, true},
		{map[string]string{"LANG": "C.utf8"}, true},
		{map[string]string{"LANG": "C"}, false},
		{map[string]string{"LANG": "en_US.UTF-8", "LC_ALL": "C"}, false},
		{map[string]string{"LANG": "C", "LC_CTYPE": "C.UTF-8"}, true},
	} {
		if got := speaksUTF8(func(name string) string { return tt.variables[name] }); got != tt.want {
			t.Errorf("%v: %v", tt.variables, got)
		}
	}
}
