package wsframework

import "sync"

// A line runs the callbacks of one connection one after the other, so that a handler's fields need no
// lock. It has no goroutine: who brings a task while nobody runs the line runs it, and then all that
// was queued meanwhile.
type line struct {
	mu   sync.Mutex // protects the following
	room *sync.Cond // the reader waits for bytes to shrink; made when first needed

	busy   bool
	ending bool // OnClose, the last task, is here or has been
	queue  []task
	bytes  int  // of what is queued
	hurry  bool // nobody is to wait for room
}

// A task is one call of a callback.
type task struct {
	kind    taskKind
	message Message // taskMessage; taskPing and taskPong: Data
	timer   *ticker // taskTick
}

type taskKind uint8

const (
	taskOpen taskKind = iota
	taskMessage
	taskPing
	taskPong
	taskTick
	taskSession // it has changed: look at it
	taskClose
)

var taskNames = [...]string{"Open", "OnMessage", "OnPing", "OnPong", "a timer", "GetCurrentUser", "OnClose"}

func (k taskKind) String() string { return taskNames[k] }

// size is what a task counts against Settings.MaxPendingIn: its data, and its place in the queue.
func (t task) size() int { return len(t.message.Data) + 64 }

// enter makes the caller run the line, beginning with t, or queues t and returns false.
func (l *line) enter(t task) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending {
		return false
	}
	l.ending = t.kind == taskClose
	if !l.busy {
		l.busy = true
		return true
	}
	l.queue = append(l.queue, t)
	l.bytes += t.size()
	return false
}

// next returns the task that the runner of the line does next, or gives the line up.
func (l *line) next() (task, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.busy = false
		l.queue = nil
		return task{}, false
	}
	return l.takeLocked(), true
}

// take removes the next task from a line that the caller has entered for good, and reports whether there
// was one, and whether there are more.
func (l *line) take() (t task, ok, more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queue) == 0 {
		l.queue = nil
		return task{}, false, false
	}
	return l.takeLocked(), true, len(l.queue) > 0
}

func (l *line) takeLocked() task {
	t := l.queue[0]
	l.queue[0] = task{}
	l.queue = l.queue[1:]
	l.bytes -= t.size()
	if l.room != nil {
		l.room.Broadcast()
	}
	return t
}

// full reports whether more waits than limit.
func (l *line) full(limit int) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return limit > 0 && l.bytes > limit && !l.hurry
}

// waitForRoom waits until no more than limit waits.
func (l *line) waitForRoom(limit int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.room == nil {
		l.room = sync.NewCond(&l.mu)
	}
	for l.bytes > limit && !l.hurry {
		l.room.Wait()
	}
}

// stopWaiting lets the reader go on, from now on without waiting for room.
func (l *line) stopWaiting() {
	l.mu.Lock()
	l.hurry = true
	if l.room != nil {
		l.room.Broadcast()
	}
	l.mu.Unlock()
}
