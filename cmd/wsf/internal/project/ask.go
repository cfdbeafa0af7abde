package project

import (
	"context"
	"errors"
	"io"
	"os"

	"charm.land/huh/v2"
	"github.com/charmbracelet/colorprofile"
	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

// ask asks for what the command line does not say. Where nobody can answer, that is an error.
func ask(cmd *cobra.Command, o *options) error {
	if !isTerminal(cmd.InOrStdin()) || !isTerminal(cmd.OutOrStdout()) {
		return usage.Errorf("the name is missing: wsf new myapp")
	}
	fields := []huh.Field{
		huh.NewInput().Title("What is the program called?").Placeholder("myapp").Value(&o.folder).Validate(func(name string) error {
			if err := checkName(name); err != nil {
				return err
			}
			return checkFolder(name)
		}),
	}
	if !cmd.Flags().Changed("store") {
		fields = append(fields, huh.NewSelect[string]().Title("Where are sessions kept?").Value(&o.store).Options(
			huh.NewOption("In memory: one process, and a restart logs everybody out", "memory"),
			huh.NewOption("In an SQLite file", "sqlite"),
			huh.NewOption("In Redis", "redis"),
			huh.NewOption("In PostgreSQL", "postgres"),
		))
	}
	if !cmd.Flags().Changed("no-pages") {
		fields = append(fields, huh.NewConfirm().Title("With pages and a login?").Value(&o.pages))
	}
	var questions []*huh.Group // one at a time
	for _, field := range fields {
		questions = append(questions, huh.NewGroup(field))
	}
	form := huh.NewForm(questions...).WithInput(cmd.InOrStdin()).WithOutput(cmd.OutOrStdout())
	if plain(cmd.OutOrStdout()) {
		form = form.WithAccessible(true).WithOutput(colorprofile.NewWriter(cmd.OutOrStdout(), os.Environ()))
		return untilStopped(cmd.Context(), form.Run)
	}
	err := form.RunWithContext(cmd.Context())
	if errors.Is(err, huh.ErrUserAborted) {
		return errStopped
	}
	return err
}

var errStopped = errors.New("stopped; nothing was made")

// plain reports whether questions are asked line by line. The form takes a terminal that can move its cursor; one
// that is narrow or hides its size, as serial lines do, makes it panic.
func plain(out io.Writer) bool {
	if file, ok := out.(*os.File); ok {
		if width, height, err := term.GetSize(int(file.Fd())); err != nil || width < 40 || height < 10 {
			return true
		}
	}
	return os.Getenv("TERM") == "dumb" || os.Getenv("TERM") == "" || os.Getenv("ACCESSIBLE") != ""
}

// untilStopped runs f, but does not wait for it any longer when ctx ends: reading a line can't be interrupted.
func untilStopped(ctx context.Context, f func() error) error {
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return errStopped
	}
}

func isTerminal(stream any) bool {
	file, ok := stream.(*os.File)
	return ok && term.IsTerminal(int(file.Fd()))
}
