package main

import (
	"fmt"
	"slices"
	"sync"
	"testing"
)

func TestRosterCountsPages(t *testing.T) {
	r := newRoster()
	var news []string
	enter := func(name string) {
		r.enter(name, func(first bool, online []string) error {
			news = append(news, fmt.Sprintf("+%s %t %v", name, first, online))
			return nil
		})
	}
	leave := func(name string) {
		r.leave(name, func(online []string) { news = append(news, fmt.Sprintf("-%s %v", name, online)) })
	}
	enter("bob")
	enter("ann")
	enter("bob")
	leave("bob")
	leave("bob")
	leave("ann")
	want := []string{"+bob true [bob]", "+ann true [ann bob]", "+bob false [ann bob]", "-bob [ann]", "-ann []"}
	if !slices.Equal(news, want) {
		t.Errorf("announced %q\nwant      %q", news, want)
	}
}

// Whatever happens at the same time, the last list announced is the true one.
func TestRosterAnnouncesInOrder(t *testing.T) {
	r := newRoster()
	var last []string // guarded by the roster's lock, as the race detector confirms
	announce := func(online []string) { last = online }
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			name := fmt.Sprint("guest", i)
			r.enter(name, func(_ bool, online []string) error {
				announce(online)
				return nil
			})
			if i != 7 {
				r.leave(name, announce)
			}
		})
	}
	all.Wait()
	if !slices.Equal(last, []string{"guest7"}) {
		t.Errorf("the last list is %q", last)
	}
}

// A page whose opening fails or panics is closed like any other.
func TestRosterSurvivesPanic(t *testing.T) {
	r := newRoster()
	func() {
		defer func() { recover() }()
		r.enter("ann", func(bool, []string) error { panic("in the announcement") })
	}()
	left := false
	r.leave("ann", func(online []string) { left = len(online) == 0 })
	if !left {
		t.Error("ann is still there")
	}
}
