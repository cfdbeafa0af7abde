// Package testvisit is what wstest has to do with a request beyond what every client may: it says who its user
// is, in place of GetCurrentUser, and learns when Open has returned. It is internal, so that no program can let
// somebody in by this way.
package testvisit

import (
	"context"
	"sync"
)

// A Visit is one request of a test.
type Visit struct {
	User  any  // nil is nobody
	Named bool // User is the current user

	once   sync.Once
	opened chan struct{}
}

// New returns a visit.
func New() *Visit { return &Visit{opened: make(chan struct{})} }

// Opened is closed when the socket's Open has returned.
func (v *Visit) Opened() <-chan struct{} { return v.opened }

// SetOpened closes Opened.
func (v *Visit) SetOpened() { v.once.Do(func() { close(v.opened) }) }

type key struct{}

// With returns a context of a visit's request.
func With(ctx context.Context, v *Visit) context.Context { return context.WithValue(ctx, key{}, v) }

// From returns the visit of a request, or nil.
func From(ctx context.Context) *Visit {
	v, _ := ctx.Value(key{}).(*Visit)
	return v
}

// UserOf returns the user whom a visit names.
func UserOf(ctx context.Context) (user any, named bool) {
	v := From(ctx)
	if v == nil || !v.Named {
		return nil, false
	}
	return v.User, true
}
