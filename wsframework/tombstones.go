package wsframework

import (
	"sync"
	"time"
)

// tombstones remember which sessions have ended, for one to two tombstoneTimes: what was read before from a
// replica that lags behind must not bring them back.
type tombstones struct {
	mu       sync.Mutex // protects the following
	young    map[string]struct{}
	old      map[string]struct{}
	youngest time.Time // when young was begun
}

const tombstoneTime = time.Minute

func (t *tombstones) add(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.age()
	if t.young == nil {
		t.young, t.youngest = make(map[string]struct{}), time.Now()
	}
	t.young[key] = struct{}{}
}

func (t *tombstones) has(key string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.age()
	_, young := t.young[key]
	_, old := t.old[key]
	return young || old
}

func (t *tombstones) remove(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.age()
	delete(t.young, key)
	delete(t.old, key)
}

func (t *tombstones) age() {
	for range 2 {
		if t.young == nil && t.old == nil || time.Since(t.youngest) < tombstoneTime {
			return
		}
		t.old, t.young, t.youngest = t.young, nil, t.youngest.Add(tombstoneTime)
	}
}
