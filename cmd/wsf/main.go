// Command wsf helps with programs written with wsframework: it begins new ones, adds handlers, lists routes, and
// talks to and checks what is running. docs/wsf.md is its guide.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/gotornado/gotornado/cmd/wsf/internal/client"
	"github.com/gotornado/gotornado/cmd/wsf/internal/doctor"
	"github.com/gotornado/gotornado/cmd/wsf/internal/handlers"
	"github.com/gotornado/gotornado/cmd/wsf/internal/project"
	"github.com/gotornado/gotornado/cmd/wsf/internal/routes"
	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "wsf",
		Short: "Tools for programs written with wsframework",
		Long: `wsf begins programs written with wsframework, and helps with those that are there.

Flags may be written with one dash or two. The exit code is 0, 1 for a failure and 2 for a wrong
command line; where a command has more of them, its help says so.`,
		Example: `  wsf new myapp
  cd myapp && go run .
  wsf handler Ticker -route /ticker -kind ticker
  wsf routes
  wsf client ws://127.0.0.1:8000/websocket
  wsf doctor https://example.com/websocket`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error {
		var unknown *pflag.NotExistError
		if errors.As(err, &unknown) && len(unknown.GetSpecifiedShortnames()) > 1 {
			return usage.Errorf("unknown flag: -%s", unknown.GetSpecifiedShortnames()) // one dash, not many flags
		}
		return err
	})
	root.AddCommand(project.NewCommand(), handlers.NewCommand(), routes.NewCommand(), client.NewCommand(), doctor.NewCommand())
	return root
}

// run runs a command line and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errOut io.Writer) (code int) {
	root := newRoot()
	root.SetArgs(twoDashes(root, args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	defer func() {
		if problem := recover(); problem != nil {
			fmt.Fprintf(errOut, "wsf: internal error, please report it: %v\n", problem)
			code = 1
		}
	}()

	begun := false // what fails before a command has begun is the command line's fault
	root.PersistentPreRun = func(*cobra.Command, []string) { begun = true }
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return 0
	}
	code = 1
	var coded interface{ ExitCode() int }
	if errors.As(err, &coded) {
		code = coded.ExitCode()
	} else if !begun {
		code = usage.ExitCode
	}
	if message := strings.TrimSpace(err.Error()); message != "" {
		fmt.Fprintf(errOut, "wsf: %s\n", message)
	}
	if code == usage.ExitCode {
		fmt.Fprintf(errOut, "See %s --help.\n", cmd.CommandPath())
	}
	return code
}

// twoDashes lets flags be written with one dash, as Go's own commands have them.
func twoDashes(root *cobra.Command, args []string) []string {
	long := map[string]bool{"help": true}
	var collect func(cmd *cobra.Command)
	collect = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(f *pflag.Flag) { long[f.Name] = true })
		cmd.PersistentFlags().VisitAll(func(f *pflag.Flag) { long[f.Name] = true })
		for _, child := range cmd.Commands() {
			collect(child)
		}
	}
	collect(root)
	changed := make([]string, 0, len(args))
	for i, arg := range args {
		if arg == "--" {
			return append(changed, args[i:]...)
		}
		name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && len(name) > 1 && long[name] {
			arg = "-" + arg
		}
		changed = append(changed, arg)
	}
	return changed
}
