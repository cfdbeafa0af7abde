package wsframework_test

import (
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"weak"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A member is of the set of its type, as in the Tornado program that the framework was born from.
type member struct {
	wsframework.BaseHandler
	users *wsframework.Set[*member]
	left  chan bool
}

func (h *member) Open() error {
	if err := h.users.Add(h); err != nil {
		return err
	}
	return h.WriteMessage("in")
}

func (h *member) OnMessage(m wsframework.Message) error {
	if m.String() == "fail" {
		return errFailing
	}
	for u := range h.users.All() {
		u.WriteMessage(fmt.Sprintf("%s-说:%s", h.Argument("name"), m))
	}
	return nil
}

func (h *member) OnClose() { h.left <- !h.users.Has(h) }

func withMembers(t *testing.T, n network) (*server, *wsframework.Set[*member], chan bool) {
	users, left := new(wsframework.Set[*member]), make(chan bool, 1000)
	s := n.route(t, wsframework.Settings{Logger: quiet}, func() wsframework.Handler { return &member{users: users, left: left} })
	return s, users, left
}

func TestSet(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s, users, left := withMembers(t, n)
		var clients []*wstest.Client
		for i := range 5 {
			cl := s.open(fmt.Sprint("/ws?name=", i))
			cl.Expect("in")
			clients = append(clients, cl)
		}
		names := func() string {
			var names []string
			for u := range users.All() {
				names = append(names, u.Argument("name"))
			}
			return strings.Join(names, "")
		}
		if names() != "01234" || users.Len() != 5 {
			t.Errorf("%d members: %s", users.Len(), names())
		}
		for range 3 {
			clients[3].Write("hello")
			for _, cl := range clients {
				cl.Expect("3-说:hello")
			}
		}
		// They leave however they end, and before OnClose.
		clients[0].WriteClose(1000, "")
		expectClose(t, clients[0], 1000, "")
		clients[1].Write("fail")
		shake(t, clients[1], 1011, "")
		clients[2].Conn().Close()
		for range 3 {
			if !receive(t, left) {
				t.Error("OnClose ran with the handler in the set")
			}
		}
		if names() != "34" || users.Len() != 2 {
			t.Errorf("%d members: %s", users.Len(), names())
		}
		all := slices.Collect(users.All())
		users.Remove(all[0])
		users.Remove(all[0])
		if names() != "4" || users.Has(all[0]) || !users.Has(all[1]) {
			t.Errorf("members: %s", names())
		}
		for range 2 { // again, and once more
			if err := users.Add(all[0]); err != nil {
				t.Error(err)
			}
		}
		if names() != "43" {
			t.Errorf("members: %s", names())
		}
		clients[3].WriteClose(1000, "")
		receive(t, left)
		if err := users.Add(all[0]); err != wsframework.ErrClosed || users.Len() != 1 {
			t.Errorf("Add after the close: %v, %d members", err, users.Len())
		}
		users.Remove(all[0])
	})
}

func TestSetBeforeOpen(t *testing.T) {
	var users wsframework.Set[*member]
	h := new(member)
	if err := users.Add(h); !errors.Is(err, wsframework.ErrNotOpen) {
		t.Errorf("Add: %v", err)
	}
	users.Remove(h)
	if users.Has(h) || users.Len() != 0 || len(slices.Collect(users.All())) != 0 {
		t.Error("the set is not empty")
	}
}

// The loop may do what it likes: it goes over those that were there at its beginning.
func TestSetLoopChangesTheSet(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		s, users, left := withMembers(t, n)
		for range 4 {
			cl := s.open("/ws")
			cl.Expect("in")
			go shake(t, cl, 4000, "out")
		}
		seen := 0
		for u := range users.All() {
			seen++
			if seen%2 == 0 {
				users.Remove(u)
				if err := users.Add(u); err != nil {
					t.Error(err)
				}
			}
			if seen == 4 {
				break
			}
			u.Close(4000, "out")
			if users.Has(u) {
				t.Error("a closing handler is in the set")
			}
		}
		if seen != 4 || users.Len() != 1 {
			t.Errorf("%d seen, %d left", seen, users.Len())
		}
		for u := range users.All() {
			u.Close(4000, "out")
		}
		for range 4 {
			receive(t, left)
		}
	})
}

// Who adds while the connection closes either comes too late or is out again at once.
func TestSetRacesWithTheClose(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		s, users, left := withMembers(t, n)
		for range 200 {
			cl := s.open("/ws")
			cl.Expect("in")
			for u := range users.All() {
				var group sync.WaitGroup
				group.Go(func() { cl.Vanish() })
				group.Go(func() { u.Close(1000, "") })
				for range 4 {
					group.Go(func() {
						users.Remove(u)
						if err := users.Add(u); err != nil && err != wsframework.ErrClosed {
							t.Error(err)
						}
					})
				}
				group.Wait()
			}
			receive(t, left)
			if users.Len() != 0 {
				t.Fatal("a closed handler is in the set")
			}
		}
	})
}

// A set keeps no handler alive that has closed, whether it was removed or left.
func TestSetForgets(t *testing.T) {
	s, users, left := withMembers(t, overTCP)
	var gone []weak.Pointer[member]
	for i := range 2 {
		cl := s.open("/ws")
		cl.Expect("in")
		for u := range users.All() {
			gone = append(gone, weak.Make(u))
			if i == 0 {
				users.Remove(u)
			}
		}
		cl.WriteClose(1000, "")
		expectClose(t, cl, 1000, "")
		cl.ExpectEnd()
		receive(t, left)
	}
	deadline := time.Now().Add(10 * time.Second)
	for _, h := range gone {
		for h.Value() != nil {
			if time.Now().After(deadline) {
				t.Fatal("a closed handler is still in memory")
			}
			runtime.GC()
		}
	}
	if users.Len() != 0 {
		t.Error("the set is not empty")
	}
}
