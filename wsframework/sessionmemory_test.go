package wsframework

import (
	"fmt"
	"math/bits"
	"net/http/httptest"
	"runtime"
	"testing"
	"time"

	"github.com/alexedwards/scs/v2"
)

func heapInUse() int {
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

// crowd puts connections on half as many sessions, each of them one user's.
func crowd(app *Application, conns []*conn) {
	for i, c := range conns {
		app.sessions.add(c, fmt.Sprintf("%043d", i/2))
		app.users.set(c, fmt.Sprintf("user %d", i/2))
	}
}

// What is known of a socket for its session and its user takes less than 300 bytes, and all of it is given back.
func TestMemoryOfSessions(t *testing.T) {
	if bits.UintSize != 64 {
		return
	}
	app, conns := crowdOf(10_000, scs.New())
	before := heapInUse()
	crowd(app, conns)
	each := (heapInUse() - before) / len(conns)
	t.Logf("%d bytes a socket", each)
	if each >= 300 {
		t.Errorf("%d bytes a socket", each)
	}
	for _, c := range conns {
		c.stepDown()
		c.standing = nil
	}
	if len(app.sessions.records) > 0 || len(app.users.groups) > 0 {
		t.Errorf("%d sessions and %d users are left", len(app.sessions.records), len(app.users.groups))
	}
	runtime.KeepAlive(conns)
}

func crowdOf(n int, sessions *scs.SessionManager) (*Application, []*conn) {
	app := NewApplication(Settings{Sessions: sessions})
	rt := &route{endpoint: endpoint{app: app}}
	conns := make([]*conn, n)
	for i := range conns {
		conns[i] = newConn(rt, httptest.NewRequest("GET", "/", nil))
	}
	return app, conns
}

// A countingStore counts what is asked of it; its sessions never end.
type countingStore struct {
	scs.Store
	finds chan time.Time
}

func (s countingStore) Find(string) ([]byte, bool, error) {
	s.finds <- time.Now()
	return []byte("data"), true, nil
}

// BenchmarkSessionChecks is one interval of 10,000 sockets on 5,000 sessions: it says how many look-ups that is,
// and how many there are in the fullest 64th of it, ideally 79.
func BenchmarkSessionChecks(b *testing.B) {
	const interval, conns = 500 * time.Millisecond, 10_000
	store := countingStore{finds: make(chan time.Time, 10*conns)}
	sessions := scs.New()
	sessions.Store = store
	app, all := crowdOf(conns, sessions)
	app.settings.SessionCheckInterval = interval
	before := heapInUse()
	crowd(app, all)
	each := float64(heapInUse()-before) / conns
	for range conns / 2 { // until each has had its first
		<-store.finds
	}
	lookups, fullest := 0, 0
	for b.Loop() {
		end, buckets := time.After(interval), [64]int{}
		began := time.Now()
		for waiting := true; waiting; {
			select {
			case at := <-store.finds:
				lookups++
				buckets[min(63, max(0, int(at.Sub(began)*64/interval)))]++
			case <-end:
				waiting = false
			}
		}
		for _, n := range buckets {
			fullest = max(fullest, n)
		}
	}
	b.ReportMetric(each, "B/socket")
	b.ReportMetric(float64(lookups)/float64(b.N), "lookups/interval")
	b.ReportMetric(float64(fullest), "lookups/fullest-64th")
	for _, c := range all {
		c.stepDown()
	}
}
