package doctor_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

const day = 24 * time.Hour

// An authority signs certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string // for --ca
}

func newAuthority(t *testing.T) *authority {
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	der, key := issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-900 * day), NotAfter: time.Now().Add(900 * day),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, nil)
	a.key = key
	var err error
	if a.certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(a.file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue makes a certificate. Without an authority it signs itself.
func issue(t *testing.T, template *x509.Certificate, by *authority) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	parent, signer := template, key
	if by != nil {
		parent, signer = by.certificate, by.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return der, key
}

// certificate is one of a server on loopback, unless it is for another name.
func certificate(t *testing.T, by *authority, name string, begins, ends time.Duration) tls.Certificate {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, NotBefore: time.Now().Add(begins), NotAfter: time.Now().Add(ends),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if ip := net.ParseIP(name); ip != nil {
		template.IPAddresses = []net.IP{ip}
	} else {
		template.DNSNames = []string{name}
	}
	der, key := issue(t, template, by)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

func serveTLS(t *testing.T, handler http.Handler, config *tls.Config) (addr string) {
	server := httptest.NewUnstartedServer(handler)
	server.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelInfo)
	server.TLS = config
	server.StartTLS()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestCertificates(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	const here = "127.0.0.1"
	tests := []struct {
		name        string
		certificate tls.Certificate
		args        []string
		status      string
		want        string
		goesOn      bool
	}{
		{"good", certificate(t, ours, here, -day, 60*day), []string{"--ca", ours.file}, "ok", "59 days", true},
		{"ends soon", certificate(t, ours, here, -day, 10*day), []string{"--ca", ours.file}, "warning", "certbot renew", true},
		{"expired", certificate(t, ours, here, -9*day, -day), []string{"--ca", ours.file}, "problem", "has expired", false},
		{"expired, and no matter", certificate(t, ours, here, -9*day, -day), []string{"--ca", ours.file, "--insecure"}, "problem", "has expired", true},
		{"not yet", certificate(t, ours, here, day, 9*day), []string{"--ca", ours.file}, "problem", "begins only on", false},
		{"another name", certificate(t, ours, "example.com", -day, 60*day), []string{"--ca", ours.file}, "problem", `for "example.com"`, false},
		{"unknown authority", certificate(t, ours, here, -day, 60*day), nil, "problem", "fullchain.pem", false},
		{"self-signed", certificate(t, nil, here, -day, 60*day), nil, "problem", "self-signed", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			addr := serveTLS(t, newApp(t, wsframework.Settings{}), &tls.Config{Certificates: []tls.Certificate{tt.certificate}})
			r := examine(t, append(tt.args, "--cookie=secret=1", "wss://"+addr+"/websocket")...)
			if f := r.find(t, "reach/certificate"); f.Status != tt.status || !strings.Contains(f.text(), tt.want) {
				t.Errorf("%s: %s; want %s with %q", f.Status, f.text(), tt.status, tt.want)
			}
			r.only(t, "reach/certificate")
			if f := r.find(t, "messages/ping"); (f.Status == "ok") != tt.goesOn {
				t.Errorf("ping: %s: %s", f.Status, f.Seen)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	good := []tls.Certificate{certificate(t, ours, "127.0.0.1", -day, 60*day)}
	tests := []struct {
		name, status, want string
		config             *tls.Config
	}{
		{"modern", "ok", "TLS 1.3", &tls.Config{}},
		{"1.2", "ok", "TLS 1.2", &tls.Config{MaxVersion: tls.VersionTLS12}},
		{"old ones, too", "warning", "ssl_protocols TLSv1.2 TLSv1.3;", &tls.Config{MinVersion: tls.VersionTLS10}},
		{"old ones only", "problem", "the best version is TLS 1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.config.Certificates = good
			addr := serveTLS(t, newApp(t, wsframework.Settings{}), tt.config)
			r := examine(t, "--ca", ours.file, "https://"+addr+"/websocket")
			if f := r.find(t, "reach/tls"); f.Status != tt.status || !strings.Contains(f.text(), tt.want) {
				t.Errorf("%s: %s; want %s with %q", f.Status, f.text(), tt.status, tt.want)
			}
		})
	}
	t.Run("none", func(t *testing.T) {
		r := examine(t, "https://"+serve(t, newApp(t, wsframework.Settings{}))+"/websocket")
		if f := r.find(t, "reach/tls"); f.Status != "problem" || !strings.Contains(f.Seen, "speaks no TLS") {
			t.Errorf("%s: %s", f.Status, f.Seen)
		}
		r.only(t, "reach/tls")
	})
}

// TestPlain is about the same endpoint without TLS. What is secret is not sent there.
func TestPlain(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	secure := serveTLS(t, newApp(t, wsframework.Settings{}), &tls.Config{
		Certificates: []tls.Certificate{certificate(t, ours, "127.0.0.1", -day, 60*day)}})
	exposed := newApp(t, wsframework.Settings{})
	tests := []struct {
		name, status, want string
		handler            http.Handler
	}{
		{"redirects", "ok", "redirects to https", http.RedirectHandler("https://example.com/", http.StatusMovedPermanently)},
		{"redirects nowhere", "warning", "return 301 https", http.RedirectHandler("/login", http.StatusFound)},
		{"has the endpoint", "problem", "without encryption", exposed},
		{"has pages", "warning", "200 OK", http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			told := make(chan http.Header, 1)
			plain := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				told <- r.Header.Clone()
				// A page of http has the endpoint's own origin there.
				r.Header.Del("Origin")
				tt.handler.ServeHTTP(w, r)
			}))
			_, port, _ := net.SplitHostPort(plain)
			r := examine(t, "--ca", ours.file, "--http-port", port, "--cookie=secret=1", "-H=Authorization: Bearer x", "https://"+secure+"/websocket")
			if f := r.find(t, "reach/plain"); f.Status != tt.status || !strings.Contains(f.text(), tt.want) {
				t.Errorf("%s: %s; want %s with %q", f.Status, f.text(), tt.status, tt.want)
			}
			r.only(t, "reach/plain")
			if header := <-told; header.Get("Cookie") != "" || header.Get("Authorization") != "" {
				t.Errorf("plain HTTP was sent %v", header)
			}
		})
	}
	r := examine(t, "--ca", ours.file, "https://"+secure+"/websocket")
	if f := r.find(t, "reach/plain"); f.Status != "skipped" || !strings.Contains(f.Seen, "--http-port") {
		t.Errorf("without --http-port: %s: %s", f.Status, f.Seen)
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	ours := newAuthority(t)
	tests := map[string]struct{ set, status, want string }{
		"good":      {"session=x; Secure; HttpOnly; SameSite=Lax", "ok", `"session"`},
		"bare":      {"session=x", "warning", `"session" lacks Secure, HttpOnly, SameSite`},
		"scripts":   {"_xsrf=x; Secure; SameSite=Lax", "ok", `"_xsrf"`},
		"malformed": {"session=x; SameSite=Whatever; HttpOnly", "warning", "lacks Secure"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			app := newApp(t, wsframework.Settings{})
			addr := serveTLS(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Set-Cookie", tt.set)
				app.ServeHTTP(w, r)
			}), &tls.Config{Certificates: []tls.Certificate{certificate(t, ours, "127.0.0.1", -day, 60*day)}})
			r := examine(t, "--ca", ours.file, "https://"+addr+"/websocket")
			if f := r.find(t, "cookies/attributes"); f.Status != tt.status || !strings.Contains(f.text(), tt.want) {
				t.Errorf("%s: %s; want %s with %q", f.Status, f.text(), tt.status, tt.want)
			}
			r.only(t, "cookies/attributes")
		})
	}
}
