// Package project begins new programs: wsf new.
package project

import (
	"fmt"
	"io"
	"path/filepath"

	"github.com/fatih/color"
	"github.com/spf13/cobra"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

// NewCommand makes wsf new.
func NewCommand() *cobra.Command {
	o := options{store: "memory"}
	var noPages bool
	cmd := &cobra.Command{
		Use:   "new NAME",
		Short: "Begin a program that runs at once",
		Long: `new makes a folder with a program that runs at once: a chat over WebSockets with its tests, pages with
a login, a script for browsers that connects again by itself, and what it takes to deploy it. NAME is the
folder, and its last part the program's name. Without NAME it asks, on a terminal.

When something fails, nothing is left behind.`,
		Example: `  wsf new myapp
  wsf new myapp -store redis -module example.com/team/myapp
  wsf new services/ticker -no-pages`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage.Errorf("give the program one name: wsf new myapp")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.pages = !noPages
			if len(args) == 1 {
				o.folder = args[0]
			} else if err := ask(cmd, &o); err != nil {
				return err
			}
			if err := o.complete(); err != nil {
				return err
			}
			made, err := create(cmd.Context(), o)
			if err != nil {
				return err
			}
			made.report(cmd.OutOrStdout(), o)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.module, "module", "", "path of the Go module (default NAME)")
	flags.StringVar(&o.store, "store", o.store, "where sessions are kept: memory, redis, postgres or sqlite")
	flags.BoolVar(&noPages, "no-pages", false, "without pages: no templates and no login")
	flags.StringVar(&o.replace, "replace", "", "take the framework from a checkout in this `folder` (default: the checkout that wsf runs from)")
	flags.BoolVar(&o.offline, "offline", false, "download nothing: use the modules that this machine has")
	return cmd
}

// options are what a project is made from.
type options struct {
	folder, name, module string
	store                string
	pages, offline       bool
	replace              string
}

// A result is what there is to tell at the end.
type result struct {
	framework framework
	untidy    error  // why go mod tidy has to be run again
	workspace string // a go.work that the new module is not in
}

// report says what was made and what to do next.
func (r *result) report(w io.Writer, o options) {
	kind := "a server of WebSockets and pages"
	if !o.pages {
		kind = "a server of WebSockets"
	}
	fmt.Fprintf(w, "%s %s, %s. Sessions: %s.\n", color.GreenString("Made"), o.folder, kind, stores[o.store].Title)
	if r.framework.replace != "" {
		fmt.Fprintf(w, "It takes the framework from %s, %s; go.mod says so.\n", r.framework.replace, r.framework.found)
	}
	if r.untidy != nil {
		fmt.Fprintf(w, "%s this machine does not have all modules yet, so go mod tidy is left to do.\n", color.YellowString("Note:"))
	}
	fmt.Fprintf(w, "\n%s\n", color.New(color.Bold).Sprint("Next:"))
	next := func(command, comment string) { fmt.Fprintf(w, "  %-24s # %s\n", command, comment) }
	next("cd "+o.folder, "go there")
	if r.untidy != nil {
		next("go mod tidy", "with a network")
	}
	if r.workspace != "" {
		next("go work use .", "it lies in the workspace "+filepath.Dir(r.workspace))
	}
	if stores[o.store].Compose {
		next("docker compose up -d", stores[o.store].Title+", unless you have one")
	}
	next("go run .", "http://127.0.0.1:8000")
	next("go test ./...", "needs no server")
	next("wsf handler Ticker", "adds a handler; wsf handler --help has the kinds")
}

// check finds what can't be in options.
func (o *options) check() error {
	if err := checkName(o.name); err != nil {
		return usage.Errorf("%w", err)
	}
	if err := checkModule(o.module); err != nil {
		return usage.Errorf("%w", err)
	}
	if _, known := stores[o.store]; !known {
		return usage.Errorf("there is no store %q; -store is memory, redis, postgres or sqlite", o.store)
	}
	return nil
}
