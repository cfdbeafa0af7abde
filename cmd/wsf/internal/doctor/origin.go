package doctor

import (
	"context"
	"fmt"
	"net/http"
)

// foreignOrigin can't be anybody's (RFC 6761, 6.4).
const foreignOrigin = "https://wsf-doctor.invalid"

func checkOwnOrigin(_ context.Context, p *probe) finding {
	switch {
	case p.noOrigin:
		return problem(fmt.Sprintf("pages of %s are refused with %s", p.origin, p.first.saw()),
			append([]string{"The server compares the Origin with the Host that it sees: the proxy may have changed that."}, toPassHost...)...)
	case p.stage < open:
		return skipped(notThere[open])
	}
	return ok("pages of " + p.origin + " are let in")
}

func checkForeignOrigin(ctx context.Context, p *probe) finding {
	return p.strangers(ctx, foreignOrigin, "pages of any other site are let in, with the visitor's cookies")
}

// checkNullOrigin is for sandboxed frames and local files, which anybody can make.
func checkNullOrigin(ctx context.Context, p *probe) finding {
	return p.strangers(ctx, "null", `pages of the origin "null" are let in, which any site can make`)
}

// strangers makes a handshake that is to be refused.
func (p *probe) strangers(ctx context.Context, origin, letIn string) finding {
	if p.first == nil {
		return skipped(notThere[open])
	}
	a, err := p.ask(ctx, question{version: "13", origin: origin})
	if err != nil {
		return ok(origin + " gets no answer")
	}
	defer a.leave()
	switch {
	case a.wire != nil:
		return warning(letIn, toCheckOrigin...)
	case p.stage < open && a.StatusCode == p.first.StatusCode:
		return skipped(fmt.Sprintf("every handshake is refused with %d, so that this says nothing", a.StatusCode))
	case a.StatusCode >= http.StatusInternalServerError:
		return warning(origin+" makes the server fail: "+a.saw(), "The server should refuse with 403.")
	}
	return ok(fmt.Sprintf("%s is refused with %d", origin, a.StatusCode))
}

// checkNoOrigin is about programs. Either answer is fine: they can send any Origin.
func checkNoOrigin(ctx context.Context, p *probe) finding {
	if p.stage < open {
		return skipped(notThere[open])
	}
	a, err := p.ask(ctx, question{version: "13"})
	if err != nil {
		return warning("no answer to a handshake without an Origin: "+whyNot(err), "The server should let it in, or refuse with 403.")
	}
	defer a.leave()
	if a.wire == nil {
		return ok(fmt.Sprintf("refused with %d: only browsers get in", a.StatusCode))
	}
	return ok("let in: programs that are no browsers")
}
