// Package handlers adds handlers to programs: wsf handler.
package handlers

import (
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

// options are what a handler is made from.
type options struct {
	name, route, kind string
	folder            string
	function          string
	authenticated     bool
}

// NewCommand makes wsf handler.
func NewCommand() *cobra.Command {
	var o options
	var dryRun bool
	cmd := &cobra.Command{
		Use:   "handler NAME",
		Short: "Add a handler with its test to a program",
		Long: `handler writes a handler and its test, and registers the route where the program registers its routes:
behind the last call of app.WebSocket, or the one of wsframework.NewApplication. Where there are pages it
also writes what a page needs to show it. Files that are there are never overwritten, and doing the same
once more changes nothing.

The kinds:
  echo    sends back what it gets
  chat    passes what somebody says on to everybody, with the user's name
  ticker  sends the time every second
  rpc     answers JSON requests that have a method and an id
  stream  sends an ordered stream from a given position on, as fast as the client reads`,
		Example: `  wsf handler Ticker -kind ticker
  wsf handler Orders -route /orders/{shop} -kind rpc -authenticated
  wsf handler Events -kind stream -dry-run`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage.Errorf("give the handler one name: wsf handler Ticker")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.name = args[0]
			p, err := newPlan(o)
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			if dryRun {
				p.diff(out)
				return nil
			}
			if err := p.apply(); err != nil {
				return err
			}
			p.report(out)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.route, "route", "", "`pattern` of the route (default / and the name in lower case)")
	flags.StringVar(&o.kind, "kind", "echo", "what it does: echo, chat, ticker, rpc or stream")
	flags.StringVar(&o.folder, "dir", ".", "the program's `folder`")
	flags.StringVar(&o.function, "in", "", "the `function` that registers it, where there are several")
	flags.BoolVar(&o.authenticated, "authenticated", false, "only for those who are logged in")
	flags.BoolVar(&dryRun, "dry-run", false, "show the changes as a diff, and change nothing")
	return cmd
}

// report says what was done.
func (p *plan) report(w io.Writer) {
	if len(p.changes) == 0 {
		fmt.Fprintf(w, "Nothing to do: %s serves %s already.\n", p.data.Type, p.data.Pattern)
		return
	}
	for _, c := range p.changes {
		did := "Wrote"
		if c.old != nil {
			did = "Changed"
		}
		fmt.Fprintf(w, "%s %s\n", color.GreenString(did), filepath.Join(p.folder, c.name))
	}
	fmt.Fprintf(w, "\n%s\n  go test -run Test%s .\n", color.New(color.Bold).Sprint("Next:"), p.data.Name)
	if slices.ContainsFunc(p.changes, func(c change) bool { return strings.HasPrefix(c.name, "templates/") }) {
		fmt.Fprintf(w, "  {{template %q .}}  # puts it on a page\n", p.data.File+".html")
		if p.data.Wildcards != "" {
			fmt.Fprintf(w, "  %s  # say there what %s should be\n", p.path("static/js/"+p.data.File+".js"), p.data.Wildcards)
		}
	}
}

// kinds tells for each kind what its page sends: a label and a sample.
var kinds = map[string]struct{ input, sample string }{
	"echo":   {"What to send", "hello"},
	"chat":   {"Your message", ""},
	"ticker": {},
	"rpc":    {"Your request", `{"method": "add", "id": 1, "params": [1, 2]}`},
	"stream": {"A new event", ""},
}

func kindNames() string { return strings.Join(slices.Sorted(maps.Keys(kinds)), ", ") }
