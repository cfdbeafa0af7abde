package wsframework

import (
	"sync"
)

// A hub knows the groups of one application on this node.
//
// Lock order: hub, group, outbound. A connection's own locks are never held while one of these is
// taken, and nothing that can block or that is the user's is called under any of them.
type hub struct {
	mu     sync.RWMutex // protects the following and every conn's memberships, left and leftGroups
	groups map[string]*group
}

// A group is a set of connections that get the same messages in the same order.
type group struct {
	name string

	mu      sync.Mutex // protects the following; who holds it gives its message the next place in the order
	members []*membership
}

// A membership is one connection's place in one group.
type membership struct {
	c     *conn
	group *group
	index int // in members, protected by the group's lock
}

func (g *group) add(m *membership) {
	g.mu.Lock()
	m.index = len(g.members)
	g.members = append(g.members, m)
	g.mu.Unlock()
}

// remove returns how many members are left.
func (g *group) remove(m *membership) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	last := len(g.members) - 1
	g.members[m.index] = g.members[last]
	g.members[m.index].index = m.index
	g.members[last] = nil
	g.members = g.members[:last]
	return last
}

// conns returns a snapshot of the members.
func (g *group) conns() []*conn {
	g.mu.Lock()
	defer g.mu.Unlock()
	conns := make([]*conn, len(g.members))
	for i, m := range g.members {
		conns[i] = m.c
	}
	return conns
}

// join is a no-op for a member.
func (h *hub) join(c *conn, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.left {
		return ErrClosed
	}
	for _, m := range c.memberships {
		if m.group.name == name {
			return nil
		}
	}
	g := h.groups[name]
	if g == nil {
		g = &group{name: name}
		if h.groups == nil {
			h.groups = make(map[string]*group)
		}
		h.groups[name] = g
	}
	m := &membership{c: c, group: g}
	g.add(m)
	c.memberships = append(c.memberships, m)
	return nil
}

// leave is a no-op for who is no member.
func (h *hub) leave(c *conn, name string) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if c.left {
		return ErrClosed
	}
	for i, m := range c.memberships {
		if m.group.name == name {
			h.dropLocked(m)
			last := len(c.memberships) - 1
			c.memberships[i] = c.memberships[last]
			c.memberships[last] = nil
			c.memberships = c.memberships[:last]
			break
		}
	}
	return nil
}

// leaveAll ends all memberships of a connection for good. Its groups are remembered for OnClose.
func (h *hub) leaveAll(c *conn) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c.left = true
	for _, m := range c.memberships {
		h.dropLocked(m)
		c.leftGroups = append(c.leftGroups, m.group.name)
	}
	c.memberships = nil
}

func (h *hub) dropLocked(m *membership) {
	if m.group.remove(m) == 0 {
		delete(h.groups, m.group.name)
	}
}

// groupsOf returns the names in no particular order.
func (h *hub) groupsOf(c *conn) []string {
	h.mu.RLock()
	defer h.mu.RUnlock()
	names := append([]string(nil), c.leftGroups...)
	for _, m := range c.memberships {
		names = append(names, m.group.name)
	}
	return names
}

// broadcast sends a frame to the members of a group, except one. by is the batch on whose behalf the
// caller writes, or nil.
func (h *hub) broadcast(name string, frame *sharedFrame, except *conn, by *batch) {
	h.mu.RLock()
	g := h.groups[name]
	h.mu.RUnlock()
	if g != nil {
		g.broadcast(frame, except, by)
	}
}

func (g *group) broadcast(frame *sharedFrame, except *conn, by *batch) {
	flushes := flushLists.Get().(*flushList)
	g.append(frame, except, flushes)

	if len(flushes.outs) > 0 && !(by.isOpen() && by.add(flushes.outs...)) {
		for _, o := range flushes.outs {
			o.flush()
		}
	}
	for _, c := range flushes.slow {
		c.tooSlow()
	}
	flushes.reset()
}

// append puts the frame into every member's queue. Nothing is written to a socket yet, so the group's
// lock is held for a short while even when the group is large.
func (g *group) append(frame *sharedFrame, except *conn, flushes *flushList) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, m := range g.members {
		if m.c == except || !m.c.opened.Load() { // a user's may be in their handshake
			continue
		}
		flush, slow := m.c.out.writeShared(frame)
		if flush {
			flushes.outs = append(flushes.outs, &m.c.out)
		}
		if slow {
			flushes.slow = append(flushes.slow, m.c)
		}
	}
}

// A flushList collects what is to be done after a broadcast, outside the group's lock.
type flushList struct {
	outs []*outbound
	slow []*conn
}

var flushLists = sync.Pool{New: func() any { return new(flushList) }}

func (l *flushList) reset() {
	clear(l.outs)
	clear(l.slow)
	l.outs, l.slow = l.outs[:0], l.slow[:0]
	if cap(l.outs) <= 64<<10 {
		flushLists.Put(l)
	}
}
