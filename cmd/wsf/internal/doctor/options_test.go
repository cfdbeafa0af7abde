package doctor

import (
	"strings"
	"testing"
)

func TestTarget(t *testing.T) {
	tests := []struct{ address, want, origin string }{
		{"https://example.com/websocket", "https://example.com/websocket", "https://example.com"},
		{"wss://Example.com:8443/a?b=c", "https://Example.com:8443/a?b=c", "https://example.com:8443"},
		{"ws://[::1]:8000/", "http://[::1]:8000/", "http://[::1]:8000"},
		{"example.com/websocket", "https://example.com/websocket", "https://example.com"},
		{"localhost:8000/websocket", "http://localhost:8000/websocket", "http://localhost:8000"},
		{"127.0.0.1:8000", "http://127.0.0.1:8000", "http://127.0.0.1:8000"},
		{"app.localhost/x", "http://app.localhost/x", "http://app.localhost"},
	}
	for _, tt := range tests {
		var o options
		if err := o.setTarget(tt.address); err != nil || o.target.String() != tt.want || o.origin != tt.origin {
			t.Errorf("%s: %v, origin %s, %v", tt.address, o.target, o.origin, err)
		}
	}
}

func TestHeader(t *testing.T) {
	var o options
	err := o.setHeader([]string{"authorization: Bearer a:b", "Origin: https://app.test", "Sec-WebSocket-Protocol: a, b", "Cookie: x=1"}, []string{"y=2", "z=3"})
	if err != nil {
		t.Fatal(err)
	}
	if err := o.setTarget("https://api.test/"); err != nil {
		t.Fatal(err)
	}
	if got := o.header.Get("Authorization"); got != "Bearer a:b" {
		t.Errorf("Authorization: %s", got)
	}
	if got := o.header.Get("Cookie"); got != "x=1; y=2; z=3" {
		t.Errorf("Cookie: %s", got)
	}
	if o.origin != "https://app.test" || strings.Join(o.subprotocols, "+") != "a+b" || len(o.header) != 2 {
		t.Errorf("origin %s, subprotocols %q, header %v", o.origin, o.subprotocols, o.header)
	}
	if err := o.setTarget("https://ann:pass@api.test/"); err != nil || o.header.Get("Authorization") != "Basic YW5uOnBhc3M=" || o.target.User != nil {
		t.Errorf("basic authentication: %v, %v, %v", err, o.header, o.target)
	}
}

// FuzzByteSize tests that a number of bytes is within its bounds, or refused.
func FuzzByteSize(f *testing.F) {
	for _, seed := range []string{"0", "65536", "64KiB", "1MiB", "1 MiB", "257MiB", "-1", "KiB", "9999999999999KiB"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b byteSize
		if err := b.Set(text); err == nil && (b < 0 || b > maxBytes) || err != nil && b != 0 {
			t.Fatalf("%q is %d, %v", text, b, err)
		}
	})
}

func TestByteSize(t *testing.T) {
	for text, want := range map[string]int{"0": 0, "1000": 1000, "64KiB": 65536, "1 MiB": 1 << 20, "256MiB": 256 << 20} {
		var b byteSize
		if err := b.Set(text); err != nil || int(b) != want {
			t.Errorf("%s: %d, %v", text, b, err)
		}
	}
	for n, want := range map[int]string{0: "0 B", 1000: "1000 B", 1536: "1536 B", 65536: "64KiB", 3 << 20: "3MiB"} {
		if got := bytesOf(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

func TestSizes(t *testing.T) {
	tests := []struct {
		own, limit int
		want       []int
	}{
		{5, 1 << 20, []int{5, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20}},
		{5, 5000, []int{5, 1 << 10, 4 << 10, 5000}},
		{2000, 5000, []int{2000, 4 << 10, 5000}},
		{10, 5, []int{10}},
	}
	for _, tt := range tests {
		got := sizes(tt.own, tt.limit)
		if len(got) != len(tt.want) {
			t.Fatalf("%d up to %d: %v", tt.own, tt.limit, got)
		}
		for i := range got {
			if got[i] != tt.want[i] {
				t.Errorf("%d up to %d: %v, want %v", tt.own, tt.limit, got, tt.want)
			}
		}
	}
}
