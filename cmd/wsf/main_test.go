package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCommandLines(t *testing.T) {
	full, file := t.TempDir(), filepath.Join(t.TempDir(), "file")
	for _, path := range []string{filepath.Join(full, "notes.txt"), file} {
		if err := os.WriteFile(path, []byte("mine"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	named := filepath.Join(filepath.Dir(full), "full")
	if err := os.Rename(full, named); err != nil {
		t.Fatal(err)
	}
	free := filepath.Join(t.TempDir(), "app")

	for _, test := range []struct {
		args string
		code int
		want string
	}{
		{"", 0, "Available Commands:"},
		{"-help", 0, "wsf new myapp"},
		{"new -h", 0, "-no-pages"},
		{"new -help", 0, "where sessions are kept"},
		{"dance", 2, `unknown command "dance"`},
		{"new", 2, "the name is missing: wsf new myapp"},
		{"new a b", 2, "give the program one name"},
		{"new " + free + " -dance", 2, "unknown flag: -dance"},
		{"new " + free + " -store disk", 2, `there is no store "disk"; -store is memory, redis, postgres or sqlite`},
		{"new " + free + " --store=disk", 2, `there is no store "disk"`},
		{"new " + free + " -module Ä", 2, "give another one with -module"},
		{"new " + free + " -module net/http2", 2, "begins as a package of Go itself"},
		{"new " + free + " -replace " + full, 2, "is no checkout of the framework"},
		{"new My", 2, `"My" can't be the name of a program`},
		{"new fmt", 2, "-module example.com/fmt"},
		{"new " + named, 1, "is not empty: it has notes.txt"},
		{"new " + file, 1, "is there already, and is no folder"},
		{"new " + filepath.Join(free, "deep", "app"), 1, "there is no folder"},
		{"handler", 2, "give the handler one name"},
		{"handler Echo -kind dance", 2, `there is no kind "dance"`},
		{"handler Echo -dir " + named, 1, "there is no Go program in"},
		{"handler Echo -dir " + free, 1, "there is no folder " + free + "; give the program's with -dir"},
		{"handler Echo -route /{room}/{room}", 2, `duplicate wildcard name "room"`},
		{"handler Echo -route /{all...}/more", 2, "wildcard not at end"},
		{"handler Echo -route /a/../b", 2, "/b is what browsers make of it"},
		{"routes a b", 2, "give one folder"},
		{"routes " + free, 1, "there is no folder " + free},
	} {
		code, out, errOut := tryWSF(t, strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(out+errOut, test.want) {
			t.Errorf("wsf %s: exit code %d, want %d with %q\n%s%s", test.args, code, test.code, test.want, out, errOut)
		}
		if (code == 0) != (errOut == "") || strings.Contains(errOut, "goroutine") || (code == 2) != strings.Contains(errOut, "See wsf") {
			t.Errorf("wsf %s says, with exit code %d:\n%s", test.args, code, errOut)
		}
	}
	if _, err := os.Lstat(free); err == nil {
		t.Error("a folder was made")
	}
}

// Without the modules nothing is left behind, unless that was asked for.
func TestWithoutModules(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("GOMODCACHE", filepath.Join(cache, "mod"))
	t.Setenv("GOFLAGS", "-modcacherw")
	t.Setenv("GOPROXY", "off")
	parent := t.TempDir()
	app := filepath.Join(parent, "app")

	code, _, errOut := tryWSF(t, "new", app)
	if code != 1 || !strings.Contains(errOut, "go mod tidy failed, so nothing was made; without a network use -offline:") {
		t.Errorf("exit code %d\n%s", code, errOut)
	}
	wantEmpty(t, parent)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var said strings.Builder
	if code := run(ctx, []string{"new", app, "-offline"}, strings.NewReader(""), io.Discard, &said); code != 1 || !strings.Contains(said.String(), "stopped") {
		t.Errorf("exit code %d\n%s", code, &said)
	}
	wantEmpty(t, parent)

	if err := os.Mkdir(app, 0o755); err != nil { // an empty folder is not in the way
		t.Fatal(err)
	}
	if out := wsf(t, "new", app, "-offline", "-module", "example.com/team/app"); !strings.Contains(out, "  go mod tidy ") {
		t.Errorf("it says\n%s", out)
	}
	if mod, err := os.ReadFile(filepath.Join(app, "go.mod")); err != nil || !strings.HasPrefix(string(mod), "module example.com/team/app\n") {
		t.Errorf("go.mod is (%v)\n%s", err, mod)
	}
}

func wantEmpty(t *testing.T, folder string) {
	t.Helper()
	if entries, err := os.ReadDir(folder); err != nil || len(entries) > 0 {
		t.Errorf("there is %v (%v)", entries, err)
	}
}

// A project in somebody's workspace has to be made known there.
func TestInWorkspace(t *testing.T) {
	t.Setenv("GOWORK", "")
	parent := t.TempDir()
	if err := os.WriteFile(filepath.Join(parent, "go.work"), []byte("go 1.25.0\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if out := wsf(t, "new", filepath.Join(parent, "app")); !strings.Contains(out, "  go work use . ") {
		t.Errorf("it says\n%s", out)
	}
}
