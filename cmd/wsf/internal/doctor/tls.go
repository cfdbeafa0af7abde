package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// soon is how long before its end a certificate should have been renewed: what renews by itself does so
// thirty days before.
const soon = 21 * 24 * time.Hour

// checkTLS looks at the connection, whoever the certificate is from.
func checkTLS(ctx context.Context, p *probe) finding {
	if !p.encrypted() {
		return skipped("the URL is not encrypted")
	}
	state, err := p.inspect(ctx, tls.VersionTLS10, tls.VersionTLS13)
	if err != nil {
		var noTLS tls.RecordHeaderError
		if errors.As(err, &noTLS) {
			return problem("port "+p.port()+" speaks no TLS",
				"Use http:// (ws://) if that is meant, else turn TLS on: nginx: listen "+p.port()+" ssl;")
		}
		return problem("no TLS: "+whyNot(err), "Look at the proxy's error log, and at its certificate and key (nginx -t).")
	}
	p.tls = state
	if state.Version < tls.VersionTLS12 {
		return problem("the best version is "+tls.VersionName(state.Version)+", which browsers refuse", toModernTLS...)
	}
	if old, err := p.inspect(ctx, tls.VersionTLS10, tls.VersionTLS11); err == nil {
		return warning(tls.VersionName(state.Version)+", and "+tls.VersionName(old.Version)+" is accepted, too", toModernTLS...)
	}
	return ok(tls.VersionName(state.Version))
}

// inspect makes a TLS handshake and nothing else, so that it does no harm that nobody looks at the certificate yet.
func (p *probe) inspect(ctx context.Context, oldest, newest uint16) (*tls.ConnectionState, error) {
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{
		ServerName: p.target.Hostname(), InsecureSkipVerify: true,
		MinVersion: oldest, MaxVersion: newest, NextProtos: []string{"http/1.1"},
	}}
	c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(p.address, p.port()))
	if err != nil {
		return nil, err
	}
	defer c.Close()
	state := c.(*tls.Conn).ConnectionState()
	return &state, nil
}

func checkCertificate(_ context.Context, p *probe) finding {
	if !p.encrypted() {
		return skipped("the URL is not encrypted")
	}
	if p.tls == nil {
		return skipped("there is no TLS")
	}
	end, err := verify(p.tls.PeerCertificates, p.target.Hostname(), p.roots)
	if err == nil || p.insecure {
		p.reach(trusted)
	}
	if err != nil {
		return distrust(err, p.tls.PeerCertificates)
	}
	left := time.Until(end)
	seen := fmt.Sprintf("good until %s (%s)", end.UTC().Format(time.DateOnly), count(int(left.Hours()/24), "day"))
	if left < soon {
		return warning(seen, toRenew...)
	}
	return ok(seen)
}

// verify returns when the first certificate of the chain ends, the root's aside.
func verify(chain []*x509.Certificate, host string, roots *x509.CertPool) (time.Time, error) {
	between := x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	verified, err := chain[0].Verify(x509.VerifyOptions{DNSName: host, Roots: roots, Intermediates: between})
	if err != nil {
		return time.Time{}, err
	}
	end := chain[0].NotAfter
	for _, c := range verified[0][:max(1, len(verified[0])-1)] {
		if c.NotAfter.Before(end) {
			end = c.NotAfter
		}
	}
	return end, nil
}

// distrust says what is wrong with a certificate.
func distrust(err error, chain []*x509.Certificate) finding {
	leaf := chain[0]
	var invalid x509.CertificateInvalidError
	var wrongName x509.HostnameError
	var unknown x509.UnknownAuthorityError
	switch {
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired && time.Now().Before(leaf.NotBefore):
		return problem("the certificate begins only on "+leaf.NotBefore.UTC().Format(time.RFC3339),
			"Set the clocks right, of this machine and of the server.")
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return problem("the certificate, or one of its chain, has expired; its own end is "+leaf.NotAfter.UTC().Format(time.DateOnly), toRenew...)
	case errors.As(err, &wrongName):
		names := append([]string(nil), leaf.DNSNames...)
		for _, ip := range leaf.IPAddresses {
			names = append(names, ip.String())
		}
		return problem(fmt.Sprintf("the certificate is for %.200q, not for %q", strings.Join(names, ", "), wrongName.Host),
			"Get one for this name too (certbot --expand -d ...), or look at nginx's server_name: another server block answered.")
	case errors.As(err, &unknown) && string(leaf.RawIssuer) == string(leaf.RawSubject):
		return problem("the certificate is self-signed",
			"Get one from an authority (Caddy does by itself; certbot), or give an authority of your own with --ca.")
	case errors.As(err, &unknown) && len(chain) == 1:
		return problem(fmt.Sprintf("the certificate's issuer, %.100q, is unknown, and the chain is not sent along", leaf.Issuer.CommonName),
			"nginx: ssl_certificate takes the whole chain (certbot's fullchain.pem, not cert.pem).",
			"Is it an authority of your own? Give it with --ca.")
	case errors.As(err, &unknown):
		return problem("the certificate's authority is unknown", "Is it one of your own? Give it with --ca.")
	}
	return problem("the certificate is not good: "+err.Error(), toRenew...)
}
