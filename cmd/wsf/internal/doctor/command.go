// Package doctor is the command wsf doctor. It looks at a running WebSocket endpoint from where its clients
// are, through whatever proxy stands before it, and says what to change, with the setting that does it.
package doctor

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes, as the help has them.
const (
	exitProblems = 1
	exitUsage    = 2
	exitWarnings = 3
)

// An exitError carries an exit code up to main. Its text is empty where all has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return ""
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }
func (e *exitError) ExitCode() int { return e.code }

func usage(err error) error { return &exitError{exitUsage, err} }

const long = `Check a running WebSocket endpoint from outside, through its proxy, and say what to
change: whether it can be reached, TLS and its certificate, the handshake, the rules
about origins, compression, pings, long messages, closing, what happens to idle
connections, and cookies.

It sends no message to the application unless --send or --size is given. It opens
about a dozen connections, one after the other. Exit codes: 0 no problem, 1 problems,
2 wrong usage, 3 warnings only, with --strict.`

const examples = `  wsf doctor https://example.com/websocket
  wsf doctor --cookie session=Zm9v --idle 0 wss://example.com/websocket
  wsf doctor -H "Authorization: Bearer abc" --send '{"type":"noop"}' example.com/rpc
  wsf doctor --json --strict localhost:8000/websocket`

// NewCommand returns the command. Its errors tell their exit code by a method ExitCode() int, and have an
// empty text where the report has said it all.
func NewCommand() *cobra.Command {
	var flags struct {
		header, cookies []string
		ca              string
		size, max       byteSize
		json, strict    bool
	}
	flags.max = 1 << 20
	o := new(options)
	cmd := &cobra.Command{
		Use:           "doctor URL",
		Short:         "Check a running endpoint through its proxy",
		Long:          long,
		Example:       examples,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage(errors.New("give one URL, as in: wsf doctor https://example.com/websocket"))
			}
			return nil
		},
	}
	cmd.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usage(err) })
	f := cmd.Flags()
	f.SortFlags = false
	f.StringArrayVarP(&flags.header, "header", "H", nil, "`\"Name: value\"` to send along; may be repeated")
	f.StringArrayVar(&flags.cookies, "cookie", nil, "`name=value` to send along; may be repeated")
	f.StringVar(&flags.ca, "ca", "", "PEM `file` of authorities to trust beside the system's")
	f.BoolVar(&o.insecure, "insecure", false, "go on with a certificate that is not to be trusted, cookies and all")
	f.StringVar(&o.send, "send", "", "`message` that does no harm: sent as it is, then longer and longer by spaces")
	f.Var(&flags.max, "max", "how long the message of --send gets")
	f.Var(&flags.size, "size", "send one message of so many `bytes`, in fragments (spaces, behind --send's)")
	f.DurationVar(&o.idle, "idle", 75*time.Second, "how long to leave a connection alone; 0: not at all")
	f.DurationVar(&o.slow, "slow", 500*time.Millisecond, "a pong that takes longer was held back")
	f.DurationVar(&o.timeout, "timeout", 10*time.Second, "how long to wait for each answer")
	f.IntVar(&o.httpPort, "http-port", -1, "`port` of plain HTTP, which should redirect; 0: do not look (default 80 if the URL has port 443)")
	f.BoolVar(&flags.json, "json", false, "print a report for machines")
	f.BoolVar(&flags.strict, "strict", false, "exit with 3 if there are warnings")
	f.Lookup("http-port").DefValue = "0" // not shown; its usage says it
	f.Lookup("size").DefValue = ""

	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		o.size, o.max, o.maxAsked = int(flags.size), int(flags.max), f.Changed("max")
		if err := o.setHeader(flags.header, flags.cookies); err != nil {
			return usage(err)
		}
		for _, err := range []error{o.setTarget(args[0]), o.setRoots(flags.ca), o.check()} {
			if err != nil {
				return usage(err)
			}
		}
		return examine(cmd, o, flags.json, flags.strict)
	}
	return cmd
}

// examine makes the checks and prints what they find.
func examine(cmd *cobra.Command, o *options, asJSON, strict bool) error {
	began := time.Now()
	out := newPrinter(cmd.OutOrStdout(), os.Getenv)
	p := &probe{options: o, waiting: func(string) {}}
	each := func(result) {}
	if !asJSON {
		out.heading(o.shown)
		each, p.waiting = out.result, out.waiting
	}
	// What was found until then is worth printing. A second signal ends the program at once.
	ctx, stop := signal.NotifyContext(cmd.Context(), os.Interrupt)
	defer stop()
	context.AfterFunc(ctx, stop)
	r := newReport(o.shown, began, p.run(ctx, each))
	if asJSON {
		if err := r.writeJSON(cmd.OutOrStdout()); err != nil {
			return &exitError{exitProblems, err}
		}
	} else {
		out.summary(r)
	}
	if ctx.Err() != nil {
		return &exitError{exitProblems, errors.New("interrupted")}
	}
	if code := r.exitCode(strict); code != 0 {
		return &exitError{code: code}
	}
	return nil
}
