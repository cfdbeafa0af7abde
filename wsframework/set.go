package wsframework

import (
	"container/list"
	"iter"
	"sync"
)

// A Set is a set of handlers with open connections: the class-wide set of Tornado programs, which a
// callback loops over to write to everybody. A handler whose connection closes leaves by itself, before
// its OnClose runs.
//
//	func (h *Room) Open() error { return h.users.Add(h) }
//
//	func (h *Room) OnMessage(m wsframework.Message) error {
//		for u := range h.users.All() {
//			u.WriteMessage(m)
//		}
//		return nil
//	}
//
// To send one message to everybody, a group costs less (see [BaseHandler.Broadcast]); a Set is for what
// differs from handler to handler.
//
// The zero value is an empty set. All methods may be called from any goroutine. A Set must not be copied.
type Set[H Handler] struct {
	mu sync.Mutex // protects the following; a conn's mu may be taken under it
	at map[*conn]*list.Element
	in list.List // of H, in the order of addition
}

// Add adds a handler until it is removed or its connection closes. Adding it again changes nothing. It
// returns ErrNotOpen before the connection is open and ErrClosed once it is closing.
func (s *Set[H]) Add(h H) error {
	c, err := h.base().open()
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.at[c] != nil {
		return nil
	}
	if !c.whenEnded(s) {
		return ErrClosed
	}
	if s.at == nil {
		s.at = make(map[*conn]*list.Element)
	}
	s.at[c] = s.in.PushBack(h)
	return nil
}

// Remove removes a handler. Removing one that is not in the set changes nothing.
func (s *Set[H]) Remove(h H) {
	c := h.base().conn()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dropLocked(c) {
		c.forgetEnder(s)
	}
}

// Has reports whether a handler is in the set.
func (s *Set[H]) Has(h H) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at[h.base().conn()] != nil
}

// Len returns the number of handlers.
func (s *Set[H]) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.in.Len()
}

// All returns the handlers that are in the set when the iteration begins, in the order in which they were
// added. The loop may add, remove, write and close; what it comes to may have closed meanwhile.
func (s *Set[H]) All() iter.Seq[H] {
	return func(yield func(H) bool) {
		for _, h := range s.snapshot() {
			if !yield(h) {
				return
			}
		}
	}
}

func (s *Set[H]) snapshot() []H {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make([]H, 0, s.in.Len())
	for e := s.in.Front(); e != nil; e = e.Next() {
		all = append(all, e.Value.(H))
	}
	return all
}

func (s *Set[H]) dropLocked(c *conn) bool {
	e := s.at[c]
	if e == nil {
		return false
	}
	s.in.Remove(e)
	delete(s.at, c)
	return true
}

func (s *Set[H]) connEnded(c *conn) {
	s.mu.Lock()
	s.dropLocked(c)
	s.mu.Unlock()
}
