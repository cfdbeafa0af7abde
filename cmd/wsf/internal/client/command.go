// Package client is "wsf client": a terminal client for WebSockets, for people and for scripts.
package client

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gotornado/gotornado/wsframework"
)

const long = `Connect to a WebSocket, and talk to it.

On a terminal, lines that you type are sent as text, and messages are shown above the line as they come;
/help lists the commands for pings, bytes and closing. http:// and https:// are taken as ws:// and wss://,
and a host that is this machine needs no scheme.

When the input is no terminal, each of its lines is a message, without commands. The output has the messages
that come and nothing else: one a line, or with --json a JSON object each. After the end of the input the
client stays until nothing has come for --wait; with --expect it stays until that many messages are there.

With --login it gets a page, fills in its form, posts it with its XSRF token, and connects with the cookies.

Exit codes:
  0  closed normally (1000, or no code), or by you
  1  refused, not logged in, or an error of the network or the input
  2  wrong arguments
  3  closed abnormally, or by the server with any other code
  4  no answer, or not the messages expected, within --timeout`

const examples = `  wsf client localhost:8000/websocket
  wsf client wss://example.com/feed --compression --json --time
  wsf client localhost:8000/websocket --login /login --form name=ann
  wsf client wss://example.com/ws -H 'Authorization: Bearer abc' --origin https://example.com
  echo '{"method":"now"}' | wsf client localhost:8000/rpc --expect 1
  wsf client -n --expect 3 --timeout 1m wss://example.com/ticker | jq .`

// NewCommand returns the command. Its errors have an ExitCode method; they are not printed yet.
func NewCommand() *cobra.Command {
	f := new(flags)
	cmd := &cobra.Command{
		Use:           "client URL",
		Short:         "Talk to a WebSocket, on a terminal or in a script",
		Long:          long,
		Example:       examples,
		SilenceUsage:  true,
		SilenceErrors: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exitf(exitUsage, "wsf client takes one URL, as ws://localhost:8000/websocket")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		return exitf(exitUsage, "%w", err)
	})
	set := cmd.Flags()
	set.SortFlags = false
	set.StringArrayVarP(&f.headers, "header", "H", nil, "send `'Name: value'` with the handshake (repeat)")
	set.StringArrayVar(&f.cookies, "cookie", nil, "send the cookie `name=value` (repeat)")
	set.StringVar(&f.origin, "origin", "", "send the Origin `URL`, as a page from there does")
	set.StringArrayVar(&f.subprotocols, "subprotocol", nil, "offer a subprotocol of this `name`, the best first (repeat)")
	set.BoolVar(&f.compression, "compression", false, "offer permessage-deflate")
	set.StringVar(&f.user, "user", "", "send `name:password` with basic authentication")
	set.BoolVar(&f.insecure, "insecure", false, "take any certificate: for a server of your own under test")
	set.StringVar(&f.login, "login", "", "log in first with the form of the page at `URL`, or a path as /login")
	set.StringArrayVar(&f.form, "form", nil, "fill in the form's field `name=value` (repeat)")
	set.DurationVar(&f.ping, "ping", 25*time.Second, "send keep-alive pings at this `interval`; 0: none")
	set.DurationVar(&f.timeout, "timeout", 20*time.Second, "wait so `long` for the login, the handshake, and each message of --expect; 0: for ever")
	set.BoolVar(&f.times, "time", false, "on a terminal: show when each message came")
	set.BoolVar(&f.json, "json", false, "on a terminal: indent JSON; in a script: write each message as {type, time, data}")
	set.BoolVar(&f.noHistory, "no-history", false, "neither read nor keep the history of lines")
	set.IntVar(&f.expect, "expect", 0, "in a script: leave after `N` messages")
	set.DurationVar(&f.wait, "wait", time.Second, "in a script: after the input, leave when nothing has come for so `long`")
	set.BoolVarP(&f.noInput, "no-input", "n", false, "in a script: only listen")
	return cmd
}

// run connects, and talks until the end.
func (f *flags) run(cmd *cobra.Command, url string) error {
	o, err := f.read(url)
	if err != nil {
		return &ExitError{Code: exitUsage, Err: err}
	}
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	opening, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	conn, err := o.open(opening)
	stop()
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx) // a caller may end it at the first signal, and there may be two
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)

	in, out := terminalOf(cmd.InOrStdin()), terminalOf(cmd.OutOrStdout())
	if in == nil || out == nil || f.noInput || f.expect > 0 {
		return f.runScript(ctx, cmd, conn, signals)
	}
	return f.runTalk(ctx, cmd, o, conn, in, out, signals)
}

// terminalOf returns a stream that is a terminal; nil if it is none.
func terminalOf(stream any) *os.File {
	if file, ok := stream.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return file
	}
	return nil
}

func (f *flags) runScript(ctx context.Context, cmd *cobra.Command, conn *wsframework.ClientConn, signals <-chan os.Signal) error {
	s := &script{
		conn: conn, in: cmd.InOrStdin(), out: cmd.OutOrStdout(),
		expect: f.expect, wait: f.wait, timeout: f.timeout, json: f.json,
		shown: terminalOf(cmd.OutOrStdout()) != nil,
	}
	if f.noInput {
		s.in = nil
	}
	said, err := s.run(ctx, signals)
	if said != "" {
		fmt.Fprintln(cmd.ErrOrStderr(), said)
	}
	return err
}

func (f *flags) runTalk(ctx context.Context, cmd *cobra.Command, o *options, conn *wsframework.ClientConn, in, out *os.File, signals <-chan os.Signal) error {
	s := &style{colors: wantsColors(), times: f.times, pretty: f.json, now: time.Now}
	c, err := f.openConsole(in, out)
	if c == nil {
		conn.Close(wsframework.CloseGoingAway, "")
		return exitf(exitRefused, "can't use the terminal: %w", err)
	}
	defer c.Close() // also after a panic: a raw terminal is no use to anybody
	c.Print(s.note("%s", connected(o, conn)))
	if err != nil {
		c.Print(s.problem(err))
	}
	t := &talk{conn: conn, console: c, style: s}
	said, failure := t.run(ctx, signals)
	c.Close()
	if said != "" {
		fmt.Fprintln(cmd.OutOrStdout(), s.note("%s", said))
	}
	return failure
}

// openConsole opens the console that the terminal is good for. An error beside a console is to be told.
func (f *flags) openConsole(in, out *os.File) (console, error) {
	if os.Getenv("TERM") == "dumb" {
		return newPlainConsole(in, out), nil
	}
	file, kept := "", error(nil)
	if !f.noHistory {
		if file, kept = historyFile(); kept != nil {
			file = ""
		}
	}
	h, err := openHistory(file)
	kept = errors.Join(kept, err)
	t, err := openTerminal(in, out, h)
	if err != nil {
		return nil, err
	}
	return t, kept
}

// connected says what the handshake has agreed on.
func connected(o *options, conn *wsframework.ClientConn) string {
	text := "connected to " + withoutSecrets(o.address)
	if name := conn.Subprotocol(); name != "" {
		text += ", subprotocol " + printable(name)
	}
	if o.connect.Compression != nil {
		if conn.Header().Get("Sec-Websocket-Extensions") != "" {
			text += ", compressed"
		} else {
			text += ", not compressed: the server does not want to"
		}
	}
	return text + "; /help lists the commands, Ctrl-D closes"
}
