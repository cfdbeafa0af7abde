package wsframework_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

func TestExpireAt(t *testing.T) {
	type step struct{ after, in time.Duration } // at after, ExpireAt in so long; 0 in Prepare, -1 for the zero time
	for name, tt := range map[string]struct {
		steps []step
		ends  time.Duration // 0: never
	}{
		"in Prepare":         {[]step{{0, time.Minute}}, time.Minute},
		"later":              {[]step{{time.Second, time.Minute}}, time.Minute + time.Second},
		"extended":           {[]step{{0, time.Minute}, {50 * time.Second, time.Minute}, {100 * time.Second, time.Hour}}, time.Hour + 100*time.Second},
		"shortened":          {[]step{{0, time.Hour}, {time.Second, time.Minute}}, time.Minute + time.Second},
		"taken back":         {[]step{{0, time.Minute}, {time.Second, -1}}, 0},
		"taken back, again":  {[]step{{0, -1}, {time.Second, time.Minute}}, time.Minute + time.Second},
		"past":               {[]step{{time.Second, -time.Hour}}, time.Second},
		"to the end of time": {[]step{{0, 250 * 365 * 24 * time.Hour}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, n network) {
				expire := func(p *probe, in time.Duration) error {
					at := time.Time{}
					if in != -1 {
						at = time.Unix(0, time.Now().Add(in).UnixNano()) // as a token has it
					}
					return p.ExpireAt(at, wsframework.CloseSessionEnded, "expired")
				}
				opened := make(chan *probe, 1)
				s := n.probes(t, wsframework.Settings{PingInterval: -1}, func(p *probe) {
					p.prepare = func() error {
						if tt.steps[0].after == 0 {
							return expire(p, tt.steps[0].in)
						}
						return nil
					}
					p.open = func() error { opened <- p; return nil }
				})
				began := time.Now()
				cl := s.connect()
				p := <-opened
				for _, step := range tt.steps {
					if step.after > 0 {
						<-time.After(time.Until(began.Add(step.after)))
						if err := expire(p, step.in); err != nil {
							t.Error(err)
						}
					}
				}
				if tt.ends == 0 {
					<-time.After(24 * time.Hour)
					if !p.IsOpen() {
						t.Error("it is closed")
					}
					return
				}
				shake(t, cl, wsframework.CloseSessionEnded, "expired")
				<-p.done
				if took := time.Since(began); took != tt.ends || !errors.Is(p.cause, wsframework.ErrExpired) {
					t.Errorf("closed after %v, want %v: %v", took, tt.ends, p.cause)
				}
				if err := expire(p, time.Hour); !errors.Is(err, wsframework.ErrClosed) {
					t.Errorf("when it is closed: %v", err)
				}
			})
		})
	}
}

// What is past in Prepare refuses the handshake, and a handshake that is refused leaves no timer behind.
func TestExpireAtInARefusedHandshake(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		in := -time.Hour
		s := n.probes(t, wsframework.Settings{}, func(p *probe) {
			p.prepare = func() error {
				err := p.ExpireAt(time.Now().Add(in), 4401, "")
				synctest.Wait()
				if in > 0 {
					return errFailing
				}
				return err
			}
		})
		s.refused("/ws", 401)
		in = time.Hour
		s.refused("/ws", 500)
		<-time.After(2 * time.Hour)
	})
}

func TestExpireAtMistakes(t *testing.T) {
	if err := new(probe).ExpireAt(time.Now(), 4401, ""); !errors.Is(err, wsframework.ErrNotOpen) {
		t.Errorf("on a stray handler: %v", err)
	}
	_, connect := sockets(t, overTCP, wsframework.Settings{})
	_, p := connect()
	if err := p.ExpireAt(time.Now(), 1006, ""); err == nil || !p.IsOpen() {
		t.Errorf("code 1006: %v", err)
	}
}
