package doctor

import (
	"io"
	"strings"
	"testing"
	"time"
)

func seconds(list ...int) (durations []time.Duration) {
	for _, n := range list {
		durations = append(durations, time.Duration(n)*time.Second)
	}
	return durations
}

// TestJudgeAnswering has the times of real proxies, which nobody wants to wait for.
func TestJudgeAnswering(t *testing.T) {
	const idle = 75 * time.Second
	tests := []struct {
		name   string
		seen   observation
		status status
		want   string
	}{
		{"fine", observation{pings: seconds(25, 50), heard: 50 * time.Second, lasted: idle}, statusOK, "pings every 25s"},
		{"one ping", observation{pings: seconds(45), heard: 45 * time.Second, lasted: idle}, statusOK, "pinged after 45s"},
		{"no pings", observation{lasted: idle}, statusWarning, "PingInterval"},
		{"rare pings", observation{pings: seconds(70), heard: 70 * time.Second, lasted: idle}, statusWarning, "too seldom"},
		{"nginx", observation{lasted: 60 * time.Second, ended: io.EOF}, statusProblem, "60 s is the default of proxy_read_timeout"},
		{"30 s", observation{lasted: 30 * time.Second, ended: io.EOF}, statusProblem, "30s of them silent"},
		{"between two pings", observation{pings: seconds(5, 10), heard: 10 * time.Second, lasted: 70 * time.Second, ended: io.EOF}, statusProblem, "after the last frame"},
		{"in spite of pings", observation{pings: seconds(25, 50), heard: 50 * time.Second, lasted: 60 * time.Second, ended: io.EOF}, statusProblem, "stream_timeout"},
		{"restart", observation{lasted: time.Second, ended: &closedError{1001, "bye"}}, statusWarning, "run this once more"},
		{"session", observation{lasted: time.Second, ended: &closedError{4401, ""}}, statusWarning, "session ended"},
		{"no user", observation{lasted: time.Second, ended: &closedError{4403, ""}}, statusWarning, "log in again"},
		{"failed", observation{lasted: time.Second, ended: &closedError{1011, ""}}, statusWarning, "look at its log"},
		{"its own time-out", observation{lasted: time.Second, ended: &closedError{4000, "idle"}}, statusWarning, `closed with 4000 "idle"`},
		{"compressed", observation{lasted: time.Second, ended: violation("a frame is marked")}, statusProblem, "a frame is marked"},
		{"no connection", observation{failed: io.EOF}, statusProblem, "limit_conn"},
	}
	for _, tt := range tests {
		f := judgeAnswering(tt.seen, idle)
		if text := f.seen + strings.Join(f.change, " "); f.status != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s: %s; want %s with %q", tt.name, f.status, text, tt.status, tt.want)
		}
	}
	if f := judgeAnswering(observation{lasted: time.Second}, time.Second); f.status != statusOK {
		t.Errorf("a second without pings: %s: %s", f.status, f.seen)
	}
}

func TestJudgeSilent(t *testing.T) {
	const idle = 75 * time.Second
	fine := observation{pings: seconds(25, 50), lasted: idle}
	tests := []struct {
		name        string
		seen, other observation
		status      status
		want        string
	}{
		{"noticed", observation{pings: seconds(25), lasted: 45 * time.Second, ended: io.EOF}, fine, statusOK, "ended 20s after a ping"},
		{"noticed and told", observation{pings: seconds(25), lasted: 45 * time.Second, ended: &closedError{1008, ""}}, fine, statusOK, "closed with 1008"},
		{"kept", observation{pings: seconds(20, 40, 60), lasted: idle}, fine, statusWarning, "PingTimeout"},
		{"too early to tell", observation{pings: seconds(60), lasted: idle}, fine, statusOK, "1 ping unanswered"},
		{"no pings", observation{lasted: idle}, observation{lasted: idle}, statusOK, "no ping"},
		{"both cut", observation{lasted: 60 * time.Second, ended: io.EOF}, observation{lasted: 60 * time.Second, ended: io.EOF}, statusSkipped, "as the other one"},
		{"only this is cut", observation{lasted: 10 * time.Second, ended: io.EOF}, fine, statusWarning, "unlike the one that answers"},
		{"no connection", observation{failed: io.EOF}, fine, statusProblem, "limit_conn"},
	}
	for _, tt := range tests {
		f := judgeSilent(tt.seen, tt.other, idle)
		if text := f.seen + strings.Join(f.change, " "); f.status != tt.status || !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s: %s; want %s with %q", tt.name, f.status, text, tt.status, tt.want)
		}
	}
}
