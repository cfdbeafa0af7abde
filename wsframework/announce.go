package wsframework

import (
	"context"
	"errors"
)

// A notice is something that all nodes of an application have to know: whose sockets are to be closed, or
// written to.
type notice struct {
	kind    noticeKind
	session sessionID
	user    string // see Settings.UserID
	code    int
	reason  string
	op      opcode
	payload []byte
}

type noticeKind uint8

const (
	noticeSessionEnded noticeKind = iota
	noticeCloseSession
	noticeCloseUser
	noticeSendUser
)

// An announcer brings notices to all nodes, this one included, each of which hears them. It is where a broker
// comes in.
type announcer interface {
	announce(ctx context.Context, n notice) error
}

// oneNode is the announcer of an application that has one node.
type oneNode struct{ app *Application }

func (o oneNode) announce(_ context.Context, n notice) error {
	o.app.hear(n)
	return nil
}

// hear does what a notice says.
func (app *Application) hear(n notice) {
	switch n.kind {
	case noticeSessionEnded:
		for _, c := range app.sessions.conns(n.session) {
			c.revoke(&CloseError{Code: app.settings.SessionEndedCode, Reason: "the session has ended", Err: ErrSessionEnded})
		}
	case noticeCloseSession:
		for _, c := range app.sessions.conns(n.session) {
			c.revoke(&CloseError{Code: n.code, Reason: n.reason})
		}
	case noticeCloseUser:
		for _, c := range app.users.conns(n.user) {
			c.revoke(&CloseError{Code: n.code, Reason: n.reason})
		}
	case noticeSendUser:
		app.users.send(n.user, newSharedFrame(n.op, n.payload))
	}
}

// sessionEnded closes the sockets of a session that the store has no more.
func (app *Application) sessionEnded(key string) {
	app.nodes.announce(context.Background(), notice{kind: noticeSessionEnded, session: newSessionID(key)})
}

// CloseSession closes all sockets of the session with this token, as scs.SessionManager.Token returns it,
// with a code and reason as BaseHandler.Close. The session itself stays what it is; when that ends, its
// sockets are closed without this.
func (app *Application) CloseSession(ctx context.Context, token string, code int, reason string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if token == "" {
		return errors.New("wsframework: CloseSession needs the session's token; take it before the session is destroyed")
	}
	key, err := app.sessionKey(token)
	if err != nil {
		return err
	}
	code, reason, invalid := resolveClose(code, reason)
	n := notice{kind: noticeCloseSession, session: newSessionID(key), code: code, reason: reason}
	return errors.Join(invalid, app.nodes.announce(ctx, n))
}

// revoke closes the connection, also if it is yet to open.
func (c *conn) revoke(end *CloseError) {
	c.mu.Lock()
	opened := c.opened.Load()
	if !opened && c.revoked == nil {
		c.revoked = end
	}
	c.mu.Unlock()
	if opened {
		c.startClose(end, false)
	}
}
