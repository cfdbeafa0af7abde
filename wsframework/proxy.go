package wsframework

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// trustedProxies is Settings.TrustedProxies, parsed: whom to believe what the headers X-Forwarded-For,
// X-Real-Ip, X-Scheme and X-Forwarded-Proto say about a request. As Tornado's xheaders and
// trusted_downstream, except that nobody is believed who is not listed. It does not change, so any
// goroutine may use it.
type trustedProxies struct {
	prefixes []netip.Prefix
	unix     bool // peers that come over a Unix socket
}

// newTrustedProxies reads addresses ("10.0.0.1"), ranges ("10.0.0.0/8") and "unix".
func newTrustedProxies(list []string) (trustedProxies, error) {
	var p trustedProxies
	for _, entry := range list {
		if entry == "unix" {
			p.unix = true
			continue
		}
		prefix, err := netip.ParsePrefix(entry)
		if err != nil {
			addr, err := netip.ParseAddr(entry)
			if err != nil {
				return trustedProxies{}, fmt.Errorf("wsframework: Settings.TrustedProxies: %q is no address; write 10.0.0.1, 10.0.0.0/8, 2001:db8::/32, or unix", entry)
			}
			prefix = netip.PrefixFrom(addr, addr.BitLen())
		}
		if addr := prefix.Addr(); addr.Is4In6() && prefix.Bits() >= 96 {
			prefix = netip.PrefixFrom(addr.Unmap(), prefix.Bits()-96)
		}
		p.prefixes = append(p.prefixes, prefix.Masked())
	}
	return p, nil
}

// remoteIP returns the address of who sent a request, without a port. Behind a trusted proxy that is the
// last address of X-Forwarded-For that is not a trusted proxy's; if there is none, X-Real-Ip; and else
// the address of the farthest proxy.
func (p trustedProxies) remoteIP(r *http.Request) string {
	if !p.trustsPeer(r) {
		return peerIP(r)
	}
	farthest := peerIP(r)
	for _, line := range slices.Backward(r.Header["X-Forwarded-For"]) {
		for line != "" {
			var entry string
			line, entry = cutLast(line)
			if entry == "" {
				continue
			}
			addr, ok := parseForwarded(entry)
			if !ok {
				return farthest // who wrote this can't be believed what stands before it either
			}
			if !p.trusts(addr) {
				return addr.String()
			}
			farthest = addr.String()
		}
	}
	if lines := r.Header["X-Real-Ip"]; len(lines) == 1 {
		if addr, ok := parseForwarded(strings.TrimSpace(lines[0])); ok {
			return addr.String()
		}
	}
	return farthest
}

// scheme returns "http" or "https", as the visitor sees it.
func (p trustedProxies) scheme(r *http.Request) string {
	if p.trustsPeer(r) {
		for _, name := range []string{"X-Scheme", "X-Forwarded-Proto"} {
			if lines := r.Header[name]; len(lines) > 0 {
				_, last := cutLast(lines[len(lines)-1])
				if last = strings.ToLower(last); last == "http" || last == "https" {
					return last
				}
			}
		}
	}
	if r.TLS != nil {
		return "https"
	}
	return "http"
}

// trustsPeer reports whether the one at the other end of the connection is a trusted proxy.
func (p trustedProxies) trustsPeer(r *http.Request) bool {
	if len(p.prefixes) == 0 && !p.unix {
		return false
	}
	if p.unix {
		// Not by RemoteAddr, which is whatever the peer has called its end.
		if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok && local.Network() == "unix" {
			return true
		}
	}
	addr, err := netip.ParseAddr(peerIP(r))
	return err == nil && p.trusts(addr)
}

func (p trustedProxies) trusts(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	return slices.ContainsFunc(p.prefixes, func(prefix netip.Prefix) bool { return prefix.Contains(addr) })
}

// peerIP returns the address of the other end of the connection, without its port.
func peerIP(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
		return host
	}
	return r.RemoteAddr
}

// cutLast cuts the last entry off a list with commas.
func cutLast(list string) (rest, entry string) {
	i := strings.LastIndexByte(list, ',')
	return list[:max(i, 0)], strings.TrimSpace(list[i+1:])
}

// parseForwarded reads an address as proxies write it: with a port or not, in brackets or not. The zone
// is of somebody else's machine.
func parseForwarded(entry string) (netip.Addr, bool) {
	addr, err := netip.ParseAddr(entry)
	if err != nil {
		var withPort netip.AddrPort
		if withPort, err = netip.ParseAddrPort(entry); err == nil {
			addr = withPort.Addr()
		} else if inside, ok := strings.CutPrefix(entry, "["); ok {
			if inside, ok = strings.CutSuffix(inside, "]"); ok {
				addr, err = netip.ParseAddr(inside)
			}
		}
	}
	return addr.Unmap().WithZone(""), err == nil
}
