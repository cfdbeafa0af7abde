package project

import (
	"cmp"
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/mod/modfile"

	"github.com/gotornado/gotornado/cmd/wsf/internal/filetext"
	"github.com/gotornado/gotornado/static"
)

//go:embed all:files
var sources embed.FS

// staticcheckVersion is the linter's that projects are checked with.
const staticcheckVersion = "v0.8.2"

// A source is a file of a project.
type source struct {
	name   string // in files/
	target string // in the project; "" for the same without ".tmpl"
	unless bool   // it is not wanted
}

// sourcesFor lists the files of a project, but for those that are the framework's own.
func sourcesFor(d data) []source {
	noPages := !d.Pages
	return []source{
		{name: "gomod", target: "go.mod"},
		{name: "main.go.tmpl"},
		{name: "config.go.tmpl"},
		{name: "app.go.tmpl"},
		{name: "chat.go.tmpl"},
		{name: "chat_test.go.tmpl"},
		{name: "pages.go.tmpl", unless: noPages},
		{name: "pages_test.go.tmpl", unless: noPages},
		{name: "stores/" + d.Store.Name + ".go.tmpl", target: "sessions.go"},
		{name: "stores/sqlite_test.go.tmpl", target: "sessions_test.go", unless: d.Store.Name != "sqlite"},
		{name: "templates/base.html", unless: noPages},
		{name: "templates/chat.html", unless: noPages},
		{name: "templates/login.html", unless: noPages},
		{name: "static/css/style.css", unless: noPages},
		{name: "static/js/chat.js", unless: noPages},
		{name: "Dockerfile"},
		{name: "dockerignore", target: ".dockerignore"},
		{name: "gitignore", target: ".gitignore"},
		{name: "compose.yaml", unless: !d.Store.Compose},
		{name: "Makefile"},
		{name: "README.md"},
		{name: "deploy/app.service", target: "deploy/" + d.Name + ".service"},
		{name: "deploy/nginx.conf"},
		{name: "deploy/Caddyfile"},
		{name: "github/workflows/ci.yml", target: ".github/workflows/ci.yml"},
	}
}

// data is what the files are made with.
type data struct {
	Name, Module     string
	Pages            bool
	Store            store
	StoreDefault     string
	FrameworkVersion string
	Replace          string
	ReplaceQuoted    string // for go.mod
	GoVersion        string
	Staticcheck      string
}

// create makes a project: in a folder beside its own, so that nobody sees a part of it.
func create(ctx context.Context, o options) (made *result, err error) {
	made = new(result)
	if made.framework, err = findFramework(o.replace); err != nil {
		return nil, err
	}
	parent := filepath.Dir(o.folder)
	temporary, err := os.MkdirTemp(parent, ".wsf-new-*")
	if err != nil {
		return nil, fmt.Errorf("no folder can be made in %s: %w; go to one that is yours to write to", parent, errors.Unwrap(err))
	}
	defer os.RemoveAll(temporary)
	if err := os.Chmod(temporary, 0o755); err != nil {
		return nil, err
	}
	if err := writeFiles(temporary, o, made.framework); err != nil {
		return nil, err
	}
	if err := tidy(ctx, temporary, o.offline); err != nil {
		if !o.offline || ctx.Err() != nil {
			return nil, err
		}
		made.untidy = err
	}
	// An empty folder may be there: it is taken away, and what has come into it meanwhile is not.
	if err := os.Remove(o.folder); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	if err := os.Rename(temporary, o.folder); err != nil {
		return nil, err
	}
	made.workspace = workspaceAround(o.folder)
	return made, nil
}

// writeFiles writes what a project consists of.
func writeFiles(folder string, o options, f framework) error {
	d := data{
		Name: o.name, Module: o.module, Pages: o.pages, Store: stores[o.store],
		FrameworkVersion: f.version, Replace: f.replace, ReplaceQuoted: modfile.AutoQuote(f.replace),
		GoVersion: goVersion(), Staticcheck: staticcheckVersion,
	}
	d.StoreDefault = strings.ReplaceAll(d.Store.Default, "NAME", d.Name)
	for _, s := range sourcesFor(d) {
		if s.unless {
			continue
		}
		text, err := render(s.name, d)
		if err != nil {
			return err
		}
		if err := writeFile(folder, cmp.Or(s.target, strings.TrimSuffix(s.name, ".tmpl")), text); err != nil {
			return err
		}
	}
	own := []string{"js/reconnecting.js"}
	if o.pages {
		own = append(own, "favicon.svg")
	}
	for _, name := range own {
		text, err := static.FS.ReadFile(name)
		if err != nil {
			return err
		}
		if err := writeFile(folder, "static/"+name, text); err != nil {
			return err
		}
	}
	return nil
}

// render makes a file's text. The marks are [[ and ]], because templates of projects have the others.
func render(name string, d data) ([]byte, error) {
	return filetext.Make(sources, "files/"+name, "[[", "]]", d)
}

func writeFile(folder, name string, text []byte) error {
	path := filepath.Join(folder, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o644)
}

// tidy completes go.mod and writes go.sum.
func tidy(ctx context.Context, folder string, offline bool) error {
	cmd := exec.CommandContext(ctx, "go", "mod", "tidy")
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "GOWORK=off")
	if offline {
		cmd.Env = append(cmd.Env, "GOPROXY=off")
	}
	output, err := cmd.CombinedOutput()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil, cmd.ProcessState != nil && cmd.ProcessState.ExitCode() < 0: // Ctrl-C may get to go first
		return errStopped
	case errors.Is(err, exec.ErrNotFound):
		return errors.New("there is no go command: install Go from https://go.dev/dl, or put it into the PATH")
	}
	return fmt.Errorf("go mod tidy failed, so nothing was made; without a network use -offline:\n%s", lastLines(output, 8))
}

// lastLines is the end of what a command said, where the error stands.
func lastLines(output []byte, n int) string {
	lines := strings.Split(strings.TrimSpace(string(output)), "\n")
	return "  " + strings.Join(lines[max(0, len(lines)-n):], "\n  ")
}

// workspaceAround returns the go.work that a folder lies under, or "".
func workspaceAround(folder string) string {
	path, err := goOutput(folder, "env", "GOWORK")
	if err != nil || path == "off" {
		return ""
	}
	return path
}

func goOutput(folder string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = folder
	output, err := cmd.Output()
	return strings.TrimSpace(string(output)), err
}
