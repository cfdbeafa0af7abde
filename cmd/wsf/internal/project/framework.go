package project

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/semver"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

const frameworkPath = "github.com/gotornado/gotornado"

// A framework says where a project takes the framework from: a version, or a folder.
type framework struct {
	version string // for go.mod; v0.0.0 with a folder
	replace string // absolute; "" for none
	found   string // how the folder was found, for people
}

// findFramework takes the folder that is given, else what wsf itself was built from.
func findFramework(folder string) (framework, error) {
	if folder != "" {
		if !isCheckout(folder) {
			return framework{}, usage.Errorf("-replace %s: that is no checkout of the framework (it has no go.mod of %s)", folder, frameworkPath)
		}
		return inFolder(folder, "as -replace says")
	}
	if version := builtVersion(); version != "" {
		return framework{version: version}, nil
	}
	// go run ./cmd/wsf: this file lies in the checkout, unless its path was trimmed.
	if _, file, _, ok := runtime.Caller(0); ok && filepath.IsAbs(file) {
		if folder := checkoutAbove(filepath.Dir(file)); folder != "" {
			return inFolder(folder, "the checkout that wsf runs from")
		}
	}
	if here, err := os.Getwd(); err == nil {
		if folder := checkoutAbove(here); folder != "" {
			return inFolder(folder, "the checkout around this folder")
		}
	}
	return framework{}, usage.Errorf("the framework is not to be found: say with -replace in which folder its checkout is")
}

func inFolder(folder, found string) (framework, error) {
	absolute, err := filepath.Abs(folder)
	return framework{version: "v0.0.0", replace: absolute, found: found}, err
}

// builtVersion is the released version that wsf was built with, or "".
func builtVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, dep := range info.Deps {
		if dep.Path == frameworkPath && dep.Replace == nil && semver.IsValid(dep.Version) && dep.Version != "v0.0.0" && dep.Sum != "" {
			return dep.Version
		}
	}
	return ""
}

// checkoutAbove returns the checkout that a folder lies in, or "".
func checkoutAbove(folder string) string {
	for {
		if isCheckout(folder) {
			return folder
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return ""
		}
		folder = parent
	}
}

func isCheckout(folder string) bool {
	text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	return err == nil && modfile.ModulePath(text) == frameworkPath
}

// goVersion is that of the Go in use, as Docker's images have it: 1.26.
func goVersion() string {
	var major, minor int
	if _, err := fmt.Sscanf(runtime.Version(), "go%d.%d", &major, &minor); err != nil {
		return "latest"
	}
	return fmt.Sprintf("%d.%d", major, minor)
}
