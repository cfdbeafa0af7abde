// Package testtool is what the tests of several modules share: finding the tools that they need, and running the
// examples as their users do.
package testtool

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Need returns what find finds. If that is nothing, the test says which Debian package to install: with CI=true
// it fails, elsewhere it is skipped.
func Need(t testing.TB, debian string, find func() string) string {
	t.Helper()
	found := find()
	if found == "" {
		missing := t.Skipf
		if os.Getenv("CI") == "true" {
			missing = t.Fatalf
		}
		missing("This test needs %s: make setup, or apt-get install %s", debian, debian)
	}
	return found
}

// FindChromium returns the path of a browser, or "".
func FindChromium() string { return FindProgram("chromium", "chromium-browser", "google-chrome") }

// FindProgram returns the path of the first of some programs that is installed, or "".
func FindProgram(names ...string) string {
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// FindPostgreSQL returns the path of one of PostgreSQL's programs, or "". Debian has those of each version in a
// folder of their own.
func FindPostgreSQL(name string) string {
	if path := FindProgram(name); path != "" {
		return path
	}
	paths, _ := filepath.Glob("/usr/lib/postgresql/*/bin/" + name)
	if len(paths) == 0 {
		return ""
	}
	return paths[len(paths)-1]
}
