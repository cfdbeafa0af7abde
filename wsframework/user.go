package wsframework

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"sync"
)

// A userIndex knows the connections of each user, by what Settings.UserID says of them.
//
// Lock order: the index's, then a group's.
type userIndex struct {
	mu     sync.Mutex // protects the following, and each standing's user
	groups map[string]*group
}

// set says whose a connection is; "" is nobody's.
func (u *userIndex) set(c *conn, id string) {
	st := c.standing
	u.mu.Lock()
	defer u.mu.Unlock()
	if g := st.user.group; g != nil {
		if g.name == id {
			return
		}
		u.removeLocked(st)
	}
	if id == "" || st.user.c == nil {
		return
	}
	g := u.groups[id]
	if g == nil {
		g = &group{name: id}
		if u.groups == nil {
			u.groups = make(map[string]*group)
		}
		u.groups[id] = g
	}
	st.user.group = g
	g.add(&st.user)
}

// leave takes a connection out for good.
func (u *userIndex) leave(c *conn) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if c.standing.user.group != nil {
		u.removeLocked(c.standing)
	}
	c.standing.user.c = nil
}

func (u *userIndex) removeLocked(st *standing) {
	if g := st.user.group; g.remove(&st.user) == 0 {
		delete(u.groups, g.name)
	}
	st.user.group = nil
}

func (u *userIndex) group(id string) *group {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.groups[id]
}

func (u *userIndex) conns(id string) []*conn {
	if g := u.group(id); g != nil {
		return g.conns()
	}
	return nil
}

func (u *userIndex) send(id string, frame *sharedFrame) {
	if g := u.group(id); g != nil {
		g.broadcast(frame, nil, nil)
	}
}

// CloseUser closes all sockets of a user, with a code and reason as BaseHandler.Close. The user is named as
// Settings.UserID does. That ends no session: what he opens next is opened.
func (app *Application) CloseUser(ctx context.Context, userID string, code int, reason string) error {
	if err := checkUser(ctx, "CloseUser", userID); err != nil {
		return err
	}
	code, reason, invalid := resolveClose(code, reason)
	n := notice{kind: noticeCloseUser, user: userID, code: code, reason: reason}
	return errors.Join(invalid, app.nodes.announce(ctx, n))
}

// SendUser sends a message, of any kind that WriteMessage takes, to all sockets of a user: to each of his
// devices and tabs. The user is named as Settings.UserID does. It does not wait for any of them, all of them
// see one order, and its error never speaks of single ones; nor is it an error if there are none.
func (app *Application) SendUser(ctx context.Context, userID string, message any) error {
	op, payload, err := encode(message)
	if err != nil {
		return err
	}
	if err := checkUser(ctx, "SendUser", userID); err != nil {
		return err
	}
	return app.nodes.announce(ctx, notice{kind: noticeSendUser, user: userID, op: opcode(op), payload: payload})
}

func checkUser(ctx context.Context, method, userID string) error {
	if userID == "" {
		return fmt.Errorf("wsframework: %s needs a user's ID; Settings.UserID says what that is", method)
	}
	return ctx.Err()
}

// defaultUserID is Settings.UserID's default.
func defaultUserID(user any) string {
	switch v := reflect.ValueOf(user); v.Kind() {
	case reflect.String:
		return v.String()
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return strconv.FormatInt(v.Int(), 10)
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return strconv.FormatUint(v.Uint(), 10)
	}
	return ""
}

// setUser says whose the connection is.
func (c *conn) setUser(user any) error {
	id := ""
	if user != nil {
		err := c.contain("Settings.UserID", func() error { id = c.app.settings.UserID(user); return nil })
		if err != nil {
			return err
		}
	}
	if id != "" || c.standing != nil {
		c.stand()
		c.app.users.set(c, id)
	}
	return nil
}

// askAgain evaluates the current user again, because the session has been loaded again.
func (c *conn) askAgain() error {
	user, err := c.askForUser(c.handler)
	if err != nil {
		return err // he stays who he was
	}
	c.mu.Lock()
	was := c.user
	c.user, c.userErr = user, nil
	c.mu.Unlock()
	if was != nil && user == nil {
		c.revoke(&CloseError{Code: c.app.settings.NoUserCode, Reason: "nobody is logged in any more", Err: ErrNoUser})
	}
	return c.setUser(user)
}
