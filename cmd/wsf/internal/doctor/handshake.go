package doctor

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// checkUpgrade makes the handshake of a browser, and if that is refused the one of a program.
func checkUpgrade(ctx context.Context, p *probe) finding {
	a, err := p.ask(ctx, p.handshake())
	if err != nil {
		return problem("no answer to a handshake: "+whyNot(err), toPassUpgrade...)
	}
	defer a.leave()
	p.first = a
	if a.wire == nil {
		if a.StatusCode == http.StatusForbidden {
			without, err := p.ask(ctx, question{version: "13"})
			if err == nil && without.wire != nil {
				defer without.leave()
				p.noOrigin = true
				return p.accepted(without, "101, but only without an Origin")
			}
		}
		return p.refused(a)
	}
	return p.accepted(a, "101")
}

// accepted checks an answer of status 101 (RFC 6455, 4.1).
func (p *probe) accepted(a *answer, seen string) finding {
	var wrong []string
	if !slices.ContainsFunc(a.Header["Upgrade"], func(v string) bool { return strings.EqualFold(v, "websocket") }) {
		wrong = append(wrong, fmt.Sprintf("Upgrade is %.60q", a.Header["Upgrade"]))
	}
	if !hasToken(a.Header["Connection"], "upgrade") {
		wrong = append(wrong, fmt.Sprintf("Connection is %.60q", a.Header["Connection"]))
	}
	if values := a.Header["Sec-Websocket-Accept"]; len(values) != 1 || values[0] != acceptFor(a.key) {
		wrong = append(wrong, fmt.Sprintf("Sec-WebSocket-Accept is not that of our key: %.60q", values))
	}
	if chosen := a.Header["Sec-Websocket-Protocol"]; len(chosen) > 1 || len(chosen) == 1 && !slices.Contains(p.subprotocols, chosen[0]) {
		wrong = append(wrong, fmt.Sprintf("the subprotocol %.60q was not offered", chosen))
	}
	if len(wrong) > 0 {
		return problem("101, but "+strings.Join(wrong, "; "),
			"Browsers refuse this. Let the proxy pass the headers of the answer on as they are, and cache nothing of it:",
			"nginx: take away add_header, proxy_hide_header and proxy_cache about these in the location of the endpoint.")
	}
	p.reach(open)
	if len(p.subprotocols) > 0 {
		if chosen := a.Header.Get("Sec-Websocket-Protocol"); chosen != "" {
			seen += fmt.Sprintf(", subprotocol %.60q", chosen)
		} else {
			return warning(seen+", and none of the subprotocols", "wsframework: SelectSubprotocol returns the one to use.")
		}
	}
	return ok(fmt.Sprintf("%s after %s", seen, brief(a.took)))
}

// checkVersion asks for a version that there is not (RFC 6455, 4.4).
func checkVersion(ctx context.Context, p *probe) finding {
	if p.stage < open {
		return skipped(notThere[open])
	}
	q := p.handshake()
	q.version = "99"
	a, err := p.ask(ctx, q)
	if err != nil {
		return warning("no answer to a handshake of version 99: "+whyNot(err), "The server should answer 426 (RFC 6455, 4.4).")
	}
	defer a.leave()
	spoken := strings.Join(a.Header["Sec-Websocket-Version"], ", ")
	switch {
	case a.wire != nil:
		return problem("version 99 is accepted", "The server, or the proxy in its place, has to compare Sec-WebSocket-Version with 13 (RFC 6455, 4.2.1).")
	case spoken == "":
		return warning("version 99 is refused with "+a.saw()+", without Sec-WebSocket-Version",
			"The server should answer 426 with Sec-WebSocket-Version: 13 (RFC 6455, 4.4); nginx: take away proxy_hide_header about it.")
	}
	return ok(fmt.Sprintf("version 99 is refused with %d, offering %.20q", a.StatusCode, spoken))
}

// checkMethod uses HEAD, which does no harm where it is not refused.
func checkMethod(ctx context.Context, p *probe) finding {
	if p.stage < open {
		return skipped(notThere[open])
	}
	q := p.handshake()
	q.method = http.MethodHead
	a, err := p.ask(ctx, q)
	if err != nil {
		return warning("no answer to HEAD: "+whyNot(err), "The server should answer 405 (RFC 6455, 4.2.1).")
	}
	defer a.leave()
	if a.wire != nil {
		return problem("HEAD opens a WebSocket", "The server, or the proxy in its place, has to insist on GET (RFC 6455, 4.2.1).")
	}
	return ok(fmt.Sprintf("HEAD is refused with %d", a.StatusCode))
}
