package wsframework

import (
	"context"
	"sync"
)

// keyedLocks are locks by name. One exists while somebody holds or wants it, and who has waited longest gets
// it next. What they protect may be slow: a store on another machine.
type keyedLocks struct {
	mu    sync.Mutex // protects the following
	locks map[string]*keyedLock
}

type keyedLock struct {
	wanted int           // by how many, its holder included
	free   chan struct{} // holds a value while nobody has it
}

// lock waits for a lock, or until ctx is done.
func (k *keyedLocks) lock(ctx context.Context, key string) (unlock func(), err error) {
	k.mu.Lock()
	l := k.locks[key]
	if l == nil {
		if k.locks == nil {
			k.locks = make(map[string]*keyedLock)
		}
		l = &keyedLock{free: make(chan struct{}, 1)}
		l.free <- struct{}{}
		k.locks[key] = l
	}
	l.wanted++
	k.mu.Unlock()

	unlock = func() {
		l.free <- struct{}{}
		k.forget(key, l)
	}
	select {
	case <-l.free:
		return unlock, nil
	default:
	}
	select {
	case <-l.free:
		return unlock, nil
	case <-ctx.Done():
		k.forget(key, l)
		return nil, context.Cause(ctx)
	}
}

func (k *keyedLocks) forget(key string, l *keyedLock) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if l.wanted--; l.wanted == 0 {
		delete(k.locks, key)
	}
}
