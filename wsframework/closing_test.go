package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// After an abort a violation in what has been read already must not keep the reader busy for ever.
func TestViolationBehindAnAbort(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.message = func(wsframework.Message) error { panic(http.ErrAbortHandler) } // ends it, says nothing
		})
		cl.WriteRaw(join(f(wstest.TextFrame, "x"), []byte{0x81, 1, 'a'}))
		p.expect(t, "open")
		p.expect(t, "message x")
		p.expect(t, "close 1006 ")
	})
}

// OnClose sees an ended context and no memberships, whoever was first to end the connection.
func TestOnCloseSeesTheEnd(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		for range 30 {
			_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
				p.open = func() error {
					for i := range 50 {
						p.Join(fmt.Sprint(i))
					}
					return nil
				}
				p.close = func() {
					if p.Context().Err() == nil {
						t.Error("the context lives on")
					}
					if err := p.Join("g"); !errors.Is(err, wsframework.ErrClosed) {
						t.Errorf("Join in OnClose: %v", err)
					}
				}
			})
			p.expect(t, "open")
			closed := make(chan struct{})
			go func() { p.Close(4000, ""); close(closed) }()
			cl.Vanish()
			<-p.done
			<-closed
		}
	})
}

// An error that can't even be asked what it is ends the connection and not the process.
type explosive struct{}

func (explosive) Error() string        { return "explosive" }
func (explosive) Is(target error) bool { panic("kaboom") }

func TestErrorsThatPanic(t *testing.T) {
	for name, err := range map[string]error{
		"typed nil close error": (*wsframework.CloseError)(nil),
		"typed nil HTTP error":  (*wsframework.HTTPError)(nil),
		"panics in Is":          explosive{},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				s, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
					p.message = func(wsframework.Message) error { return err }
				})
				cl.Write("x")
				shake(t, cl, 1011, "")
				<-p.done
				if s.log.String() == "" {
					t.Error("nothing is logged")
				}
			})
		})
	}
}

// Pings that a busy handler has not been told of count against MaxPendingIn.
func TestPingFloodIsHeldBack(t *testing.T) {
	inBubble(t, func(t *testing.T, n network) {
		release := make(chan struct{})
		_, p, cl := one(t, n, wsframework.Settings{MaxPendingIn: 10 << 10, PingInterval: -1}, func(p *probe) {
			p.message = func(wsframework.Message) error { <-release; return nil }
		})
		go func() {
			for {
				if _, _, err := cl.ReadFrame(); err != nil {
					return
				}
			}
		}()
		cl.Write("block")
		sent := make(chan int, 1)
		go func() {
			for i := 0; ; i++ {
				if _, err := cl.Conn().Write(f(wstest.PingFrame, string(make([]byte, 100)))); err != nil {
					sent <- i
					return
				}
			}
		}()
		<-time.After(time.Minute)
		cl.Vanish()
		if count := receive(t, sent); count < 30 || count > 200 {
			t.Errorf("%d pings were read", count)
		}
		close(release)
		<-p.done
	})
}

func TestShutdownInPrepare(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.prepare = func() error {
				if err := p.Application().Shutdown(context.Background()); !errors.Is(err, wsframework.ErrInCallback) {
					t.Errorf("Shutdown in Prepare: %v", err)
				}
				return nil
			}
		})
		cl.WriteClose(1000, "")
		<-p.done
	})
}

func TestNilFunctions(t *testing.T) {
	p := new(probe)
	for name, call := range map[string]func(){
		"Every": func() { p.Every(time.Second, nil) },
		"After": func() { p.After(time.Second, nil) },
		"Go":    func() { p.Go(nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s takes nil", name)
				}
			}()
			call()
		}()
	}
}
