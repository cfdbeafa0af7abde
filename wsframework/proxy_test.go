package wsframework

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// proxied is a request of a peer, with headers, names and values in turn.
func proxied(peer string, headers ...string) *http.Request {
	r := httptest.NewRequest("GET", "/", nil)
	r.RemoteAddr = peer
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	return r
}

func TestRemoteIP(t *testing.T) {
	const xff, real = "X-Forwarded-For", "X-Real-Ip"
	tests := []struct {
		trusted string // by spaces
		peer    string
		want    string
		headers []string
	}{
		// Nobody is trusted, or not this one.
		{"", "1.2.3.4:5", "1.2.3.4", nil},
		{"", "1.2.3.4:5", "1.2.3.4", []string{xff, "8.8.8.8", real, "8.8.8.8"}},
		{"10.0.0.0/8", "1.2.3.4:5", "1.2.3.4", []string{xff, "8.8.8.8", real, "8.8.8.8"}},
		{"10.0.0.1", "10.0.0.2:5", "10.0.0.2", []string{xff, "8.8.8.8"}},
		{"unix", "10.0.0.2:5", "10.0.0.2", []string{xff, "8.8.8.8"}},
		{"unix", "@", "@", []string{xff, "8.8.8.8"}},
		{"0.0.0.0/0", "[2001:db8::1]:5", "2001:db8::1", []string{xff, "8.8.8.8"}},
		{"10.0.0.1", "pipe", "pipe", []string{xff, "8.8.8.8"}},
		{"10.0.0.1", "", "", []string{xff, "8.8.8.8"}},
		{"", "[fe80::1%eth0]:5", "fe80::1%eth0", nil},
		// One proxy, several ways to write its address.
		{"10.0.0.1", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"10.0.0.1", "10.0.0.1", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"10.0.0.0/8", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"10.1.2.3/8", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"10.0.0.1", "[::ffff:10.0.0.1]:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"::ffff:10.0.0.1", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"::ffff:10.0.0.0/104", "10.9.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"fe80::1", "[fe80::1%eth0]:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"fe80::1%eth0", "[fe80::1%eth1]:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		{"::1 10.0.0.1", "[::1]:5", "8.8.8.8", []string{xff, "8.8.8.8"}},
		// The last that is not trusted, over all lines.
		{"10.0.0.1", "10.0.0.1:5", "8.8.8.8", []string{xff, "6.6.6.6, 8.8.8.8"}},
		{"10.0.0.1", "10.0.0.1:5", "8.8.8.8", []string{xff, "6.6.6.6", xff, "7.7.7.7 ,8.8.8.8"}},
		{"10.0.0.0/8", "10.0.0.1:5", "8.8.8.8", []string{xff, "6.6.6.6, 8.8.8.8, 10.0.0.3,10.0.0.2"}},
		{"10.0.0.0/8", "10.0.0.1:5", "8.8.8.8", []string{xff, "6.6.6.6, 8.8.8.8", xff, "10.0.0.3", xff, "10.0.0.2"}},
		{"10.0.0.0/8", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8", xff, "", xff, ", ,"}},
		{"10.0.0.0/8", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8, ::ffff:10.0.0.2"}},
		// Ports, brackets, zones.
		{"10.0.0.1", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8:5678"}},
		{"10.0.0.1", "10.0.0.1:5", "::1", []string{xff, "[::1]:80"}},
		{"10.0.0.1", "10.0.0.1:5", "2001:db8::1", []string{xff, "[2001:DB8:0::1]"}},
		{"10.0.0.1", "10.0.0.1:5", "2001:db8::1", []string{xff, "2001:db8::1"}},
		{"10.0.0.1", "10.0.0.1:5", "8.8.8.8", []string{xff, "::ffff:8.8.8.8"}},
		{"10.0.0.1", "10.0.0.1:5", "fe80::1", []string{xff, "fe80::1%<script>"}},
		{"10.0.0.0/8", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8, 10.0.0.2:99"}},
		// What is no address ends the way.
		{"10.0.0.0/8", "10.0.0.1:5", "10.0.0.1", []string{xff, "8.8.8.8, unknown"}},
		{"10.0.0.0/8", "10.0.0.1:5", "10.0.0.2", []string{xff, "8.8.8.8, unknown, 10.0.0.2"}},
		{"10.0.0.0/8", "10.0.0.1:5", "10.0.0.1", []string{xff, "8.8.8.8, _hidden", real, "9.9.9.9"}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", []string{xff, `"8.8.8.8"`}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", []string{xff, "8.8.8"}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", []string{xff, "[8.8.8.8"}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", []string{xff, "8.8.8.8\x00"}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", []string{xff, "[]"}},
		// Nobody but trusted ones, or nothing at all.
		{"10.0.0.0/8", "10.0.0.1:5", "10.0.0.3", []string{xff, "10.0.0.3, 10.0.0.2"}},
		{"10.0.0.0/8", "10.0.0.1:5", "9.9.9.9", []string{xff, "10.0.0.2", real, "9.9.9.9"}},
		{"10.0.0.1", "10.0.0.1:5", "9.9.9.9", []string{real, " 9.9.9.9 "}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", []string{real, "nonsense"}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", []string{real, "9.9.9.9", real, "7.7.7.7"}},
		{"10.0.0.1", "10.0.0.1:5", "8.8.8.8", []string{xff, "8.8.8.8", real, "9.9.9.9"}},
		{"10.0.0.1", "10.0.0.1:5", "10.0.0.1", nil},
	}
	for _, tt := range tests {
		p, err := newTrustedProxies(strings.Fields(tt.trusted))
		if err != nil {
			t.Fatal(err)
		}
		if got := p.remoteIP(proxied(tt.peer, tt.headers...)); got != tt.want {
			t.Errorf("trusted %q, peer %s, %q: %q, want %q", tt.trusted, tt.peer, tt.headers, got, tt.want)
		}
	}
}

func TestScheme(t *testing.T) {
	const scheme, proto = "X-Scheme", "X-Forwarded-Proto"
	tests := []struct {
		peer    string
		tls     bool
		want    string
		headers []string
	}{
		{"1.2.3.4:5", false, "http", nil},
		{"1.2.3.4:5", true, "https", nil},
		{"1.2.3.4:5", false, "http", []string{scheme, "https", proto, "https"}},
		{"1.2.3.4:5", true, "https", []string{scheme, "http", proto, "http"}},
		{"10.0.0.1:5", false, "http", nil},
		{"10.0.0.1:5", true, "https", nil},
		{"10.0.0.1:5", false, "https", []string{proto, "https"}},
		{"10.0.0.1:5", true, "http", []string{proto, "http"}},
		{"10.0.0.1:5", false, "https", []string{scheme, "https"}},
		{"10.0.0.1:5", false, "https", []string{scheme, "https", proto, "http"}},
		{"10.0.0.1:5", false, "https", []string{proto, "http, https"}},
		{"10.0.0.1:5", false, "https", []string{proto, "http", proto, "http,HTTPS "}},
		{"10.0.0.1:5", false, "http", []string{proto, "https, http"}},
		{"10.0.0.1:5", false, "http", []string{proto, "https", proto, "http"}},
		{"10.0.0.1:5", false, "http", []string{proto, "javascript"}},
		{"10.0.0.1:5", true, "https", []string{proto, "wss"}},
		{"10.0.0.1:5", true, "https", []string{proto, ""}},
		{"10.0.0.1:5", false, "https", []string{scheme, "ftp", proto, "https"}},
	}
	p, err := newTrustedProxies([]string{"10.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		r := proxied(tt.peer, tt.headers...)
		if tt.tls {
			r.TLS = new(tls.ConnectionState)
		}
		if got := p.scheme(r); got != tt.want {
			t.Errorf("peer %s, TLS %v, %q: %q, want %q", tt.peer, tt.tls, tt.headers, got, tt.want)
		}
	}
}

// Only the server's own word that a request came over a Unix socket counts.
func TestTrustedUnixSocket(t *testing.T) {
	p, err := newTrustedProxies([]string{"unix"})
	if err != nil {
		t.Fatal(err)
	}
	r := proxied("@", "X-Forwarded-For", "8.8.8.8", "X-Forwarded-Proto", "https")
	for network, want := range map[string][2]string{"unix": {"8.8.8.8", "https"}, "tcp": {"@", "http"}} {
		addr := net.Addr(&net.UnixAddr{Name: "/run/app.sock", Net: network})
		local := r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, addr))
		if ip, scheme := p.remoteIP(local), p.scheme(local); ip != want[0] || scheme != want[1] {
			t.Errorf("%s: %q, %q", network, ip, scheme)
		}
	}
}

func TestTrustedProxiesMistakes(t *testing.T) {
	for _, entry := range []string{"", "localhost", "10.0.0.0/33", "10.0.0", "10.0.0.1:80", "*", "Unix", " 10.0.0.1", "::1/129", "10.0.0.0/8,::1"} {
		_, err := newTrustedProxies([]string{"10.0.0.1", entry})
		if err == nil || !strings.HasPrefix(err.Error(), "wsframework: Settings.TrustedProxies: ") {
			t.Errorf("%q: %v", entry, err)
		}
	}
}

// Who trusts nobody pays nothing.
func TestRemoteIPWithoutProxies(t *testing.T) {
	var p trustedProxies
	r := proxied("1.2.3.4:5", "X-Forwarded-For", "8.8.8.8")
	if allocs := testing.AllocsPerRun(100, func() {
		if p.remoteIP(r) != "1.2.3.4" || p.scheme(r) != "http" {
			t.Error("wrong")
		}
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// FuzzRemoteIP: an untrusted peer decides nothing, and behind a trusted one the answer is always the
// last address that is not trusted, whatever stands before it.
func FuzzRemoteIP(f *testing.F) {
	f.Add("8.8.8.8, 10.0.0.2", "9.9.9.9", "https")
	f.Add("[::1]:80, , unknown", "::1%x", "http,https")
	f.Add("::ffff:10.0.0.2", "", ",")
	f.Fuzz(func(t *testing.T, forwarded, real, scheme string) {
		p, err := newTrustedProxies([]string{"10.0.0.0/8", "::1"})
		if err != nil {
			t.Fatal(err)
		}
		headers := []string{"X-Forwarded-For", forwarded, "X-Real-Ip", real, "X-Forwarded-Proto", scheme}
		if outside := proxied("1.2.3.4:5", headers...); p.remoteIP(outside) != "1.2.3.4" || p.scheme(outside) != "http" {
			t.Fatal("an untrusted peer is believed")
		}
		inside := proxied("10.0.0.1:5", headers...)
		got := p.remoteIP(inside)
		addr, err := netip.ParseAddr(got)
		if err != nil || addr.Zone() != "" || addr.Is4In6() || addr.String() != got {
			t.Fatalf("%q: %v", got, err)
		}
		if s := p.scheme(inside); s != "http" && s != "https" {
			t.Fatalf("scheme %q", s)
		}
		// The proxy appends whom it saw; nothing that was there before matters then.
		inside.Header["X-Forwarded-For"] = []string{forwarded, "7.7.7.7, 10.0.0.2"}
		if got := p.remoteIP(inside); got != "7.7.7.7" {
			t.Fatalf("%q, not the one the proxy saw", got)
		}
	})
}
