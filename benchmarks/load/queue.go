package load

import "time"

// A queue holds connections until they are due. All wait equally long, so that it is first in, first out.
type queue struct {
	waiting []waiter
	first   int
}

type waiter struct {
	id  int
	due time.Duration
}

func (q *queue) push(id int, due time.Duration) {
	if q.first > 0 && len(q.waiting) == cap(q.waiting) {
		q.waiting = append(q.waiting[:0], q.waiting[q.first:]...)
		q.first = 0
	}
	q.waiting = append(q.waiting, waiter{id, due})
}

func (q *queue) pop(now time.Duration) (id int, due bool) {
	if q.first == len(q.waiting) || q.waiting[q.first].due > now {
		return 0, false
	}
	q.first++
	return q.waiting[q.first-1].id, true
}
