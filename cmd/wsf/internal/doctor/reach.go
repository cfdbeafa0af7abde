package doctor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

func checkDNS(ctx context.Context, p *probe) finding {
	host := p.target.Hostname()
	if _, err := netip.ParseAddr(host); err == nil {
		p.addresses = []string{host}
		return ok(host + " is an address")
	}
	ctx, cancel := context.WithTimeout(ctx, p.timeout)
	defer cancel()
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		var failed *net.DNSError
		if errors.As(err, &failed) && failed.IsNotFound {
			return problem(fmt.Sprintf("no address for %q", host),
				"Look for a typing error, or add an A or AAAA record for the name.")
		}
		return problem(fmt.Sprintf("no answer about %q: %v", host, err), "Ask again, or look at this machine's resolver.")
	}
	p.addresses = addresses
	return ok(strings.Join(addresses, ", "))
}

// checkTCP tries every address: browsers may take any of them.
func checkTCP(ctx context.Context, p *probe) finding {
	if len(p.addresses) == 0 {
		return skipped("there is no address")
	}
	var silent []string
	var last error
	for _, address := range p.addresses {
		c, err := p.dial(ctx, address, p.port())
		if err != nil {
			silent, last = append(silent, address), err
			continue
		}
		c.Close()
		if p.address == "" {
			p.address = address
		}
	}
	if p.address == "" {
		return problem(fmt.Sprintf("no connection to port %s: %s", p.port(), whyNot(last)), toListen(last)...)
	}
	p.reach(connected)
	if !p.encrypted() {
		p.reach(trusted)
	}
	// localhost has two addresses, and a server for development has one.
	if len(silent) > 0 && !isLoopback(p.address) {
		return warning(fmt.Sprintf("%s answers, %s does not: %s", p.address, strings.Join(silent, ", "), whyNot(last)),
			"Let the proxy listen on all addresses of the name (nginx: listen [::]:443 ssl;), or take their A or AAAA record away.")
	}
	return ok("port " + p.port() + " is open")
}

// whyNot says in words why a connection failed.
func whyNot(err error) string {
	var timed net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &timed) && timed.Timeout():
		return "no answer in time"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return "the connection was cut"
	}
	return err.Error()
}

func toListen(err error) []string {
	if errors.Is(err, syscall.ECONNREFUSED) {
		return []string{
			"Start the proxy or the server, and look at its port and at the address that it listens on:",
			"127.0.0.1 is reached from its own machine only.",
		}
	}
	return []string{"Open the port in the firewall (or the cloud's security group)."}
}

func isLoopback(address string) bool {
	ip, err := netip.ParseAddr(address)
	return err == nil && ip.IsLoopback()
}

// checkHTTP asks for the endpoint as for a page, and for the page at the top, for its cookies.
func checkHTTP(ctx context.Context, p *probe) finding {
	page, err := p.ask(ctx, question{})
	if err != nil {
		return problem("no HTTP answer: "+whyNot(err),
			"Look whether the port is that of an HTTP server, and whether the proxy speaks HTTP/1.1 there.")
	}
	p.page = page
	p.reach(answering)
	page.leave()
	if page.StatusCode >= http.StatusInternalServerError {
		return problem(page.saw(), toReachUpstream(page.StatusCode)...)
	}
	if top, err := p.ask(ctx, question{path: "/"}); err == nil {
		top.leave()
	}
	return ok("answers " + page.Proto + " with " + strconv.Itoa(page.StatusCode) + " to a request without Upgrade")
}

// checkPlain looks whether the endpoint is there without TLS, too, where everybody on the way can read along.
func checkPlain(ctx context.Context, p *probe) finding {
	if !p.encrypted() {
		if isLoopback(p.address) {
			return ok("not encrypted, and on this machine")
		}
		return warning("the endpoint itself is not encrypted", "Use https (wss): a proxy with a certificate, as Caddy gets by itself.")
	}
	port := p.httpPort
	switch {
	case port < 0 && p.port() != "443":
		return skipped("the URL has a port of its own; --http-port says where its plain HTTP is")
	case port < 0:
		port = 80
	case port == 0:
		return skipped("--http-port is 0")
	}
	q := p.handshake()
	q.plainPort = strconv.Itoa(port)
	cookies := p.cookies // what comes here is nothing that https has set
	a, err := p.ask(ctx, q)
	p.cookies = cookies
	if err != nil {
		return ok(fmt.Sprintf("there is no plain HTTP at port %d", port))
	}
	a.leave()
	location := a.Header.Get("Location")
	switch {
	case a.StatusCode == http.StatusSwitchingProtocols:
		return problem(fmt.Sprintf("ws:// at port %d opens the endpoint without encryption", port), toRedirect...)
	case slices.Contains([]int{301, 302, 303, 307, 308}, a.StatusCode) && strings.HasPrefix(strings.ToLower(location), "https://"):
		return ok(fmt.Sprintf("port %d redirects to https", port))
	}
	return warning(fmt.Sprintf("port %d answers %s in place of a redirect to https", port, a.saw()), toRedirect...)
}
