package load

import (
	"testing"
	"time"
)

func TestEchoesInOrder(t *testing.T) {
	w := flow{sent: 5, received: 3}
	for name, h := range map[string]head{
		"late":        {1, 2},
		"early":       {1, 4},
		"of another":  {2, 3},
		"never sent":  {1, 5},
		"of the past": {1, 0},
	} {
		if err := w.receive(1, h); err == nil {
			t.Errorf("an answer that is %s passes", name)
		}
	}
	for seq := uint32(3); seq < 5; seq++ {
		if err := w.receive(1, head{1, seq}); err != nil {
			t.Error(err)
		}
	}
	if err := w.receive(1, head{1, 5}); err == nil {
		t.Error("an answer to nothing passes")
	}
}

func TestBroadcastsInOrder(t *testing.T) {
	r := &broadcastRun{fleet: new(fleet), sender: 4, seq: 10, expected: []uint32{8, 10}, missing: 2}
	behind, done := &conn{id: 0}, &conn{id: 1}
	for name, h := range map[string]head{"late": {4, 7}, "early": {4, 9}, "of another": {5, 8}} {
		if err := r.receive(behind, h); err == nil {
			t.Errorf("a delivery that is %s passes", name)
		}
	}
	if err := r.receive(done, head{4, 10}); err != errSurplus {
		t.Errorf("a surplus delivery: %v", err)
	}
	for seq := uint32(8); seq < 10; seq++ {
		if err := r.receive(behind, head{4, seq}); err != nil {
			t.Error(err)
		}
	}
	if r.missing != 0 || r.meter.count != 2 {
		t.Errorf("%d missing, %d counted", r.missing, r.meter.count)
	}
}

func TestResponses(t *testing.T) {
	const right = "HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: " + handshakeAccept
	const deflated = right + "\r\nSec-WebSocket-Extensions: permessage-deflate"
	for name, test := range map[string]struct {
		header         string
		compress       bool
		fine, takeover bool
	}{
		"plain":              {right, false, true, false},
		"refused":            {"HTTP/1.1 403 Forbidden", false, false, false},
		"no accept":          {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket", false, false, false},
		"another accept":     {right + "x", false, false, false},
		"not compressed":     {right, true, false, false},
		"compressed":         {deflated + "; server_no_context_takeover", true, true, false},
		"with context":       {deflated, true, true, true},
		"compressed unasked": {deflated, false, false, false},
	} {
		takeover, err := checkResponse([]byte(test.header), test.compress)
		if (err == nil) != test.fine || err == nil && takeover != test.takeover {
			t.Errorf("%s: takeover %t, %v", name, takeover, err)
		}
	}
}

func TestMeter(t *testing.T) {
	used := time.Duration(0)
	m := meter{target: Target{CPU: func() (time.Duration, error) { used += time.Second; return used, nil }}}
	if err := m.start(); err != nil {
		t.Fatal(err)
	}
	if _, err := m.stop(); err != ErrNothing {
		t.Errorf("a server that stands still: %v", err)
	}
	m.add(time.Millisecond)
	r, err := m.stop()
	if err != nil || r.Count != 1 || r.CPU != 2*time.Second || r.P50 == 0 || r.Elapsed <= 0 || r.LoadCPU <= 0 {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestHistogram(t *testing.T) {
	var h histogram
	if got := h.quantile(0.5); got != 0 {
		t.Errorf("median of nothing: %v", got)
	}
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{0: time.Microsecond, 0.5: 500 * time.Microsecond, 0.99: 990 * time.Microsecond} {
		got := h.quantile(q)
		if off := float64(got-want) / float64(want); off > 0.02 || off < -0.02 {
			t.Errorf("quantile %.2f: %v, want %v", q, got, want)
		}
	}
	h.add(-time.Second)
	h.add(1<<63 - 1)
	h.reset()
	if h.quantile(0.5) != 0 {
		t.Error("not empty after reset")
	}
}

func TestBucketsAreNarrowAndInOrder(t *testing.T) {
	for d := time.Duration(1); d < time.Hour; d += d/7 + 1 {
		low := lowest(bucketOf(d))
		if low > d || float64(d-low) > float64(d)/subBuckets {
			t.Errorf("%d is in the bucket from %d", d, low)
		}
	}
}

func TestQueueIsFirstInFirstOut(t *testing.T) {
	var q queue
	next, popped := 0, 0
	for round := range 50 {
		for range round % 7 {
			q.push(next, time.Duration(next))
			next++
		}
		for {
			id, due := q.pop(time.Duration(round))
			if !due {
				break
			}
			if id != popped || id > round {
				t.Fatalf("popped %d at %d, want %d", id, round, popped)
			}
			popped++
		}
	}
	if popped == 0 {
		t.Error("nothing was due")
	}
}

func TestSourcesAreDistinctAndLocal(t *testing.T) {
	one, other := sources(), sources()
	if one(0) == other(0) || one(0) == one(perSource) || one(0) != one(perSource-1) {
		t.Errorf("%v, %v, %v, %v", one(0), other(0), one(perSource), one(perSource-1))
	}
	if !one(50_000).IsLoopback() {
		t.Errorf("%v is not local", one(50_000))
	}
}
