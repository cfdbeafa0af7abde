package growth

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"time"
)

// A Line is one kind of cost, measured at several sizes.
type Line struct {
	What   string
	Unit   string
	Sizes  []int
	Values []float64
}

// Sizes are those of the benchmark.
var Sizes = []int{1_000, 10_000, 50_000}

const (
	everyone     = "everyone"
	groupMembers = 10  // of each of many groups
	others       = 100 // connections that the many groups are made of
)

var message = strings.Repeat("x", 120)

// Measure measures each cost for a time at each size.
func Measure(sizes []int, d time.Duration) ([]Line, error) {
	lines := []Line{
		{What: "broadcast to a group of N members", Unit: "ns a delivery"},
		{What: "join and leave, in a group of N members", Unit: "ns for both"},
		{What: "connection with a group membership, N of them", Unit: "bytes of memory each"},
		{What: "broadcast to one of N groups of 10 members", Unit: "ns a delivery"},
		{What: "join and leave, with N other groups", Unit: "ns for both"},
		{What: "join and leave, by a member of N groups", Unit: "ns for both"},
	}
	for _, n := range sizes {
		members, err := withMembers(n, d)
		if err != nil {
			return nil, err
		}
		groups, err := withGroups(n, d)
		if err != nil {
			return nil, err
		}
		for i, value := range append(members, groups...) {
			lines[i].Sizes = append(lines[i].Sizes, n)
			lines[i].Values = append(lines[i].Values, value)
		}
	}
	return lines, nil
}

// withMembers measures one group of n members.
func withMembers(n int, d time.Duration) (_ []float64, err error) {
	before := memory()
	w := newWorld(n)
	defer func() { err = errors.Join(err, w.close()) }()
	for _, m := range w.members {
		if err := m.Join(everyone); err != nil {
			return nil, err
		}
	}
	each := float64(memory()-before) / float64(n)
	delivery, err := perCall(d, func(int) error { return w.broadcast(everyone, message, n) })
	if err != nil {
		return nil, err
	}
	joining, err := perCall(d, func(i int) error { return rejoin(w.members[i%n], everyone) })
	return []float64{delivery / float64(n), joining, each}, err
}

// withGroups measures n groups with the same few connections in them.
func withGroups(n int, d time.Duration) (_ []float64, err error) {
	w := newWorld(others + 1)
	defer func() { err = errors.Join(err, w.close()) }()
	name := func(group int) string { return fmt.Sprintf("group %d", group) }
	for group := range n {
		for i := range groupMembers {
			if err := w.members[(group+i)%others].Join(name(group)); err != nil {
				return nil, err
			}
		}
	}
	delivery, err := perCall(d, func(i int) error { return w.broadcast(name(i%n), message, groupMembers) })
	if err != nil {
		return nil, err
	}
	newcomer := w.members[others]
	joining, err := perCall(d, func(int) error { return rejoin(newcomer, "one more") })
	if err != nil {
		return nil, err
	}
	for group := range n {
		if err := newcomer.Join(name(group)); err != nil {
			return nil, err
		}
	}
	regular, err := perCall(d, func(int) error { return rejoin(newcomer, "one more") })
	return []float64{delivery / groupMembers, joining, regular}, err
}

// rejoin joins and leaves, in the order that leaves the member as it was.
func rejoin(m *member, group string) error {
	if group == everyone {
		return errors.Join(m.Leave(group), m.Join(group))
	}
	return errors.Join(m.Join(group), m.Leave(group))
}

// perCall calls f for a time and returns the nanoseconds a call takes.
func perCall(d time.Duration, f func(i int) error) (float64, error) {
	if err := f(0); err != nil { // what is set up once does not count
		return 0, err
	}
	calls := 0
	start := time.Now()
	for ; time.Since(start) < d; calls++ {
		if err := f(calls); err != nil {
			return 0, err
		}
	}
	return float64(time.Since(start).Nanoseconds()) / float64(max(calls, 1)), nil
}

// memory returns the heap and stacks in use, without garbage.
func memory() uint64 {
	runtime.GC()
	runtime.GC() // what pools kept through the first
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc + stats.StackInuse
}
