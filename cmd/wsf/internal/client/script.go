package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// A script is a connection with a program at it: each line of the input is a message, and the output has the
// messages that come.
type script struct {
	conn    *wsframework.ClientConn
	in      io.Reader // nil for none
	out     io.Writer
	expect  int           // leave after so many messages; 0: when the input is over
	wait    time.Duration // after the input, leave when nothing has come for so long
	timeout time.Duration // with expect: how long to wait for a message; 0: for ever
	json    bool
	shown   bool // the output is a terminal, which messages must not steer
}

// run ends with what is to be said of the end.
func (s *script) run(ctx context.Context, signals <-chan os.Signal) (said string, failure error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	arrivals := receive(ctx, s.conn)
	sent := make(chan error, 1)
	if s.in != nil {
		go func() { sent <- s.send(ctx) }()
	}
	quiet := newQuiet(s.patience(false))
	defer quiet.stop()
	count, inputOver := 0, false
	for {
		select {
		case a := <-arrivals:
			if a.err != nil {
				return s.ended(a.err, count)
			}
			if err := s.print(a.message); err != nil {
				return "", exitf(exitRefused, "can't write: %w", err)
			}
			if count++; count == s.expect {
				return s.leave(arrivals, signals)
			}
			quiet.restart(s.patience(inputOver))
		case err := <-sent:
			if err != nil && !errors.Is(err, wsframework.ErrClosed) {
				return "", err
			}
			if err == nil {
				inputOver = true
				quiet.restart(s.patience(true))
			}
		case <-quiet.over():
			if s.expect > 0 {
				return "", exitf(exitTimeout, "only %d of %d messages came; nothing more within %v (--timeout)", count, s.expect, s.timeout)
			}
			return s.leave(arrivals, signals)
		case <-signals:
			return s.leave(arrivals, signals)
		}
	}
}

// patience is how long nothing may come; 0 is for ever.
func (s *script) patience(inputOver bool) time.Duration {
	switch {
	case s.expect > 0:
		return s.timeout
	case inputOver:
		return max(s.wait, 1) // 0 is at once
	}
	return 0
}

// send sends the lines of the input, as fast as the server takes them.
func (s *script) send(ctx context.Context) error {
	lines := bufio.NewReader(s.in)
	for number := 1; ; number++ {
		text, end := lines.ReadString('\n')
		if end == nil || text != "" {
			text = strings.TrimSuffix(strings.TrimSuffix(text, "\n"), "\r")
			err := s.conn.WriteText(text)
			if err == nil {
				err = s.conn.Flush(ctx)
			}
			if errors.Is(err, wsframework.ErrInvalidUTF8) {
				return exitf(exitRefused, "line %d of the input is not UTF-8, which text messages are", number)
			} else if err != nil {
				return err
			}
		}
		if end == io.EOF {
			return nil
		} else if end != nil {
			return exitf(exitRefused, "can't read the input: %w", end)
		}
	}
}

func (s *script) print(m wsframework.Message) error {
	switch {
	case s.json:
	case s.shown:
		_, err := fmt.Fprintln(s.out, printable(m.String()))
		return err
	default:
		_, err := s.out.Write(append(m.Data, '\n'))
		return err
	}
	line, err := recordOf(m, time.Now())
	if err == nil {
		_, err = s.out.Write(line)
	}
	return err
}

// leave closes and waits for the end; a signal leaves at once.
func (s *script) leave(arrivals <-chan arrival, signals <-chan os.Signal) (said string, failure error) {
	s.conn.Close(wsframework.CloseNormal, "")
	for {
		select {
		case a := <-arrivals:
			if a.err != nil {
				_, failure = endOf(a.err) // and nothing to say of an end that the caller knows of
				return "", failure
			}
		case <-signals:
			return "", errLeft
		}
	}
}

// ended says how the connection ended that we did not close.
func (s *script) ended(err error, count int) (said string, failure error) {
	said, failure = endOf(err)
	if failure == nil && s.expect > 0 {
		return "", &ExitError{Code: exitAbnormal, Err: fmt.Errorf("only %d of %d messages came; %s", count, s.expect, said)}
	}
	return said, failure
}

// A quiet tells when nothing has happened for a while.
type quiet struct{ timer *time.Timer }

func newQuiet(after time.Duration) *quiet {
	q := &quiet{timer: time.NewTimer(time.Hour)}
	q.restart(after)
	return q
}

func (q *quiet) restart(after time.Duration) {
	if after == 0 {
		q.timer.Stop()
		return
	}
	q.timer.Reset(after)
}

func (q *quiet) over() <-chan time.Time { return q.timer.C }

func (q *quiet) stop() { q.timer.Stop() }
