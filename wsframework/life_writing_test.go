package wsframework_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestLife4WritesFromEverywhere(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		const writers, each = 100, 50
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.open = func() error { return p.Join("g") }
			p.message = func(wsframework.Message) error { return p.WriteText("ready") }
		})
		cl.Write("go")
		cl.Expect("ready")
		var writing sync.WaitGroup
		for w := range writers {
			writing.Go(func() {
				for i := range each {
					var err error
					if text := fmt.Sprintf("%d %d", w, i); i%5 == 4 {
						err = p.Broadcast("g", text)
					} else {
						err = p.WriteText(text)
					}
					if err != nil {
						t.Errorf("write: %v", err)
					}
				}
			})
		}
		next := make([]int, writers)
		for range writers * each {
			_, payload, err := cl.ReadFrame()
			if err != nil {
				t.Fatal(err)
			}
			var w, i int
			fmt.Sscanf(string(payload), "%d %d", &w, &i)
			if next[w] != i {
				t.Fatalf("writer %d: message %d came in place of %d", w, i, next[w])
			}
			next[w]++
		}
		writing.Wait()
	})
}

func TestLife4WritesWhileThePeerCloses(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{SlowConsumer: wsframework.DropNewest}, func(p *probe) {})
		p.expect(t, "open")
		var writing sync.WaitGroup
		for range 100 {
			writing.Go(func() {
				for {
					err := p.WriteMessage("text")
					if errors.Is(err, wsframework.ErrClosed) {
						return
					}
					if err != nil && !errors.Is(err, wsframework.ErrSlowConsumer) {
						t.Errorf("write: %v", err)
						return
					}
				}
			})
		}
		go cl.WriteClose(1000, "bye")
		io.Copy(io.Discard, cl.Conn())
		writing.Wait()
		<-p.done
		if p.closeCode != 1000 || p.closeText != "bye" {
			t.Errorf("closed with %d %q", p.closeCode, p.closeText)
		}
	})
}

// acting lists the methods that act on a connection.
func acting(p *probe) map[string]func() error {
	return map[string]func() error{
		"WriteText":    func() error { return p.WriteText("x") },
		"WriteBinary":  func() error { return p.WriteBinary([]byte("x")) },
		"WriteJSON":    func() error { return p.WriteJSON(1) },
		"WriteMessage": func() error { return p.WriteMessage("x") },
		"Ping":         func() error { return p.Ping(nil) },
		"Close":        func() error { return p.Close(1000, "") },
		"Join":         func() error { return p.Join("g") },
		"Leave":        func() error { return p.Leave("g") },
		"SetNoDelay":   func() error { return p.SetNoDelay(true) },
		"Go":           func() error { return p.Go(func(context.Context) error { return nil }) },
		"SetHeader":    func() error { return p.SetHeader("X-A", "b") },
	}
}

func TestLife4BeforeOpenAndAfterClose(t *testing.T) {
	stray := new(probe)
	for name, call := range acting(stray) {
		if err := call(); !errors.Is(err, wsframework.ErrNotOpen) {
			t.Errorf("%s without a connection: %v", name, err)
		}
	}
	for name, err := range map[string]error{
		"Flush":           stray.Flush(t.Context()),
		"Broadcast":       stray.Broadcast("g", "x"),
		"BroadcastOthers": stray.BroadcastOthers("g", "x"),
	} {
		if !errors.Is(err, wsframework.ErrNotOpen) {
			t.Errorf("%s without a connection: %v", name, err)
		}
	}
	stray.Every(time.Second, func() error { return nil })()
	stray.After(time.Second, func() error { return nil })()
	if stray.CurrentUser() != nil || stray.Session() != nil || stray.Request() != nil || stray.PathValue("a") != "" ||
		stray.Argument("a") != "" || stray.RemoteIP() != "" || stray.ID() != "" || stray.Context() == nil ||
		stray.Application() != nil || stray.Logger() == nil || stray.Subprotocol() != "" || stray.IsOpen() ||
		!stray.LastPong().IsZero() || stray.CloseCode() != 0 || stray.CloseReason() != "" || stray.Groups() != nil {
		t.Error("a handler without a connection tells something")
	}

	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {
			p.prepare = func() error {
				for name, call := range acting(p) {
					if err := call(); name != "SetHeader" && !errors.Is(err, wsframework.ErrNotOpen) {
						t.Errorf("%s in Prepare: %v", name, err)
					}
				}
				return nil
			}
		})
		p.expect(t, "open")
		if err := p.SetHeader("X-A", "b"); !errors.Is(err, wsframework.ErrHandshakeDone) {
			t.Errorf("SetHeader after the handshake: %v", err)
		}
		if !p.IsOpen() || p.CloseCode() != 0 {
			t.Error("not open")
		}
		cl.WriteClose(1000, "")
		<-p.done
		for name, call := range acting(p) {
			err := call()
			ok := errors.Is(err, wsframework.ErrClosed)
			switch name {
			case "SetHeader":
				ok = errors.Is(err, wsframework.ErrHandshakeDone)
			case "SetNoDelay":
				ok = err != nil
			}
			if !ok {
				t.Errorf("%s after the close: %v", name, err)
			}
		}
		if id := p.ID(); p.IsOpen() || id == "" || p.ID() != id {
			t.Error("after the close it is open, or its ID changes")
		}
		p.Every(time.Second, func() error { t.Error("ticks after the close"); return nil })()
	})
}

func TestLife5WriteNeverBlocks(t *testing.T) {
	for name, policy := range map[string]wsframework.SlowConsumerPolicy{
		"close": wsframework.CloseSlow, "newest": wsframework.DropNewest, "oldest": wsframework.DropOldest,
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(t *testing.T, n network) {
				_, p, cl := one(t, n, wsframework.Settings{MaxPendingOut: 1 << 20, SlowConsumer: policy}, func(p *probe) {})
				p.expect(t, "open")
				// The peer does not read.
				const size = 100 << 10
				var refused []int
				last := 0
				for i := 0; len(refused) < 3; i++ {
					last = i
					err := p.WriteText(fmt.Sprintf("%06d", i) + strings.Repeat("x", size))
					if errors.Is(err, wsframework.ErrClosed) && policy == wsframework.CloseSlow {
						break
					}
					if err != nil {
						if !errors.Is(err, wsframework.ErrSlowConsumer) {
							t.Fatal(err)
						}
						refused = append(refused, i)
					}
				}
				// Then it reads.
				var got []int
				switch policy {
				case wsframework.CloseSlow:
					for {
						first, payload, err := cl.ReadFrame()
						if err != nil {
							t.Fatal(err)
						}
						if first == wstest.CloseFrame {
							if string(payload[2:]) != "reads too slowly" {
								t.Errorf("close reason %q", payload)
							}
							cl.WriteClose(1008, "")
							break
						}
						if len(payload) != size+6 {
							t.Errorf("message of %d bytes", len(payload))
						}
					}
					<-p.done
					if p.closeCode != 1008 || !errors.Is(p.cause, wsframework.ErrSlowConsumer) {
						t.Errorf("closed with %d, %v", p.closeCode, p.cause)
					}
					return
				default:
					go p.Close(1000, "")
					for {
						first, payload, err := cl.ReadFrame()
						if err != nil {
							t.Fatal(err)
						}
						if first == wstest.CloseFrame {
							break
						}
						var i int
						fmt.Sscanf(string(payload[:6]), "%d", &i)
						got = append(got, i)
						if len(payload) != size+6 {
							t.Errorf("message of %d bytes", len(payload))
						}
					}
				}
				has := make(map[int]bool)
				for i, m := range got {
					has[m] = true
					if i > 0 && got[i-1] >= m {
						t.Errorf("order %v", got)
					}
				}
				for i, m := range refused {
					// With DropOldest it is accepted, but may be the oldest itself before long.
					if policy == wsframework.DropNewest && has[m] || policy == wsframework.DropOldest && i == len(refused)-1 && !has[m] {
						t.Errorf("refused %v, got %v", refused, got)
					}
				}
				if policy == wsframework.DropOldest && len(got) > last-2 {
					t.Errorf("nothing was dropped: %d of %d came", len(got), last+1)
				}
			})
		})
	}
}

func TestLife5Flush(t *testing.T) {
	everywhere(t, func(t *testing.T, n network) {
		_, p, cl := one(t, n, wsframework.Settings{}, func(p *probe) {})
		p.expect(t, "open")
		if err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		big := strings.Repeat("x", 32<<20) // more than any socket buffer takes
		if err := p.WriteText(big); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := p.Flush(ctx); !errors.Is(err, context.Canceled) {
			t.Fatalf("Flush: %v", err)
		}
		flushed := make(chan error, 1)
		go func() { flushed <- p.Flush(context.Background()) }()
		cl.Expect(big)
		if err := receive(t, flushed); err != nil {
			t.Fatal(err)
		}
		if err := p.WriteText(big); err != nil {
			t.Fatal(err)
		}
		go func() { flushed <- p.Flush(context.Background()) }()
		cl.Vanish()
		if err := receive(t, flushed); !errors.Is(err, wsframework.ErrClosed) {
			t.Fatalf("Flush of a connection that broke: %v", err)
		}
	})
}
