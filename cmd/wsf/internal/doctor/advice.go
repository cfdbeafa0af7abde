package doctor

import (
	"net/http"
	"strings"
)

// What to change, for the proxies that most people have and for the framework. Settings are spelt as
// they stand in the file, so that they can be copied.

var toPassUpgrade = []string{
	`nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`,
	`Caddy: reverse_proxy does this by itself; take away header_up lines about Upgrade or Connection.`,
	`Apache: ProxyPass /websocket http://127.0.0.1:8000/websocket upgrade=websocket`,
}

var toSpeakHTTP11 = []string{
	`nginx: proxy_http_version 1.1; (its default has long been 1.0) proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection "upgrade";`,
	"Caddy: reverse_proxy speaks 1.1 by itself; look at transport http { versions ... }.",
}

var toPassHost = []string{
	"nginx: proxy_set_header Host $http_host;",
	"Caddy: take away header_up Host {upstream_hostport}.",
	`Or name the pages' origin: Settings.AllowedOrigins = []string{"https://example.com"}.`,
}

var toCheckOrigin = []string{
	`wsframework: take "*" out of Settings.AllowedOrigins, and let CheckOrigin compare.`,
	"nginx: take away proxy_set_header Origin; Caddy: take away header_up Origin: the server has to see it.",
}

var toRedirect = []string{
	"nginx, in the server block of port 80: return 301 https://$host$request_uri;",
	"Caddy does it by itself where the site's name has no http:// in front.",
}

var toModernTLS = []string{
	"nginx: ssl_protocols TLSv1.2 TLSv1.3;",
	"Caddy: tls { protocols tls1.2 tls1.3 }, or nothing: that is its default.",
}

var toRenew = []string{
	"certbot renew, and look at why its timer did not (systemctl list-timers); then reload the proxy.",
	"Caddy renews by itself; look for errors about the name in its log.",
}

var toLastIdle = []string{
	"nginx: proxy_read_timeout 1h; proxy_send_timeout 1h; (60 s by default)",
	"HAProxy: timeout tunnel 1h. AWS load balancer: idle_timeout.timeout_seconds (60 s by default).",
	"Caddy has no such limit by itself; look at stream_timeout.",
}

var toPassAtOnce = []string{
	"nginx passes frames on at once; look for what stands before or behind it: a filter, a scanner, a VPN, a CDN.",
	"Caddy: reverse_proxy { flush_interval -1 }",
	"Or the server itself is slow: a ping needs no handler, so look at its load.",
}

var toPassWhole = []string{
	"wsframework closes with 1009 at Settings.MaxMessageSize and does not cut, so something on the way has a limit:",
	"look at the gateway, firewall or CDN (AWS API Gateway: 128 KiB, in frames of 32 KiB), or send less at a time.",
}

var toPassClose = []string{
	"Let the proxy pass the bytes on both ways until both ends have closed; nginx and Caddy do.",
	"A server that cuts: close with a code in place of ending the process (wsframework: Application.Shutdown, Close).",
}

var toLogIn = []string{
	`Log in with a browser, and give its cookie: --cookie session=...; or a header: -H "Authorization: Bearer ...".`,
}

// toReachUpstream is for the statuses by which proxies speak of what is behind them.
func toReachUpstream(status int) []string {
	switch status {
	case http.StatusBadGateway:
		return []string{
			"The proxy does not reach the server: is it running, and at the address that proxy_pass (Caddy: reverse_proxy) names?",
		}
	case http.StatusServiceUnavailable:
		return []string{"The server is shutting down or overloaded, or the proxy has no server that is healthy."}
	case http.StatusGatewayTimeout:
		return []string{"The server takes the connection and does not answer: look at its log and load."}
	}
	return []string{"Look at the server's log: it failed."}
}

// refused explains an answer to a handshake that is not 101.
func (p *probe) refused(a *answer) finding {
	text := strings.ToLower(a.text)
	switch status := a.StatusCode; {
	case status >= 300 && status < 400:
		change := []string{"Browsers do not follow redirects of WebSockets: use the URL that it leads to."}
		if p.header.Get("Cookie") == "" {
			change = append(change, "Does it lead to a login? "+toLogIn[0])
		}
		return problem(a.saw(), change...)
	case status == http.StatusUnauthorized:
		return problem(a.saw(), toLogIn...)
	case status == http.StatusForbidden:
		return problem(a.saw(), append([]string{
			"The server refuses handshakes with this origin and without any: does it want a login?"}, toLogIn...)...)
	case status >= http.StatusInternalServerError:
		return problem(a.saw(), toReachUpstream(status)...)
	case strings.Contains(text, "http/1.0") || a.ProtoMajor == 1 && a.ProtoMinor == 0:
		return problem("the server was asked with HTTP/1.0: "+a.saw(), toSpeakHTTP11...)
	case status == http.StatusUpgradeRequired || strings.Contains(text, "upgrade"):
		return problem("the server misses Upgrade or Connection, which a proxy has taken away: "+a.saw(), toPassUpgrade...)
	case status != http.StatusNotFound && p.sameAsPage(a):
		return problem("the same answer as without Upgrade, so that a proxy may have taken it away: "+a.saw(),
			append([]string{"Is the path right?"}, toPassUpgrade...)...)
	case status == http.StatusNotFound:
		return problem(a.saw(), "There is nothing at this path: compare it with the route, and with the proxy's location block.")
	}
	return problem(a.saw(), "Compare the URL with the server's routes, and look at what the server logs about this request.")
}

// sameAsPage reports whether the headers of a handshake made no difference.
func (p *probe) sameAsPage(a *answer) bool {
	return p.page != nil && p.page.StatusCode == a.StatusCode && p.page.text == a.text
}
