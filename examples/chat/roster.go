package main

import (
	"maps"
	"slices"
	"sync"
)

// A roster knows who is online: how many pages each person has open.
//
// Announcements are made under its lock. So they reach every page in the order in which the list
// changed, and the last one that a page got is true. That is safe because a broadcast never waits for
// a peer; a notice that did not fit into a slow page's queue costs that page its connection, and it
// gets the list when it comes back.
type roster struct {
	mu    sync.Mutex
	pages map[string]int // by name, never zero
}

func newRoster() *roster { return &roster{pages: map[string]int{}} }

// enter counts a page in and passes on what announce returns. The page must leave in any case.
func (r *roster) enter(name string, announce func(first bool, online []string) error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages[name]++
	return announce(r.pages[name] == 1, r.online())
}

// leave counts a page out, and calls announce if it was the person's last.
func (r *roster) leave(name string, announce func(online []string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.pages[name]--
	if r.pages[name] > 0 {
		return
	}
	delete(r.pages, name)
	announce(r.online())
}

func (r *roster) online() []string { return slices.Sorted(maps.Keys(r.pages)) }
