package project

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"golang.org/x/mod/module"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

// complete derives what the command line does not say, and checks the whole.
func (o *options) complete() error {
	if o.folder == "" {
		return usage.Errorf("the name is empty: wsf new myapp")
	}
	o.folder = filepath.Clean(o.folder)
	o.name = filepath.Base(o.folder)
	o.module = cmp.Or(o.module, o.name)
	if err := o.check(); err != nil {
		return err
	}
	return checkFolder(o.folder)
}

var validName = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,62}$`)

// checkName says what is wrong with the name of a program, which also becomes that of a service, an image and a
// database.
func checkName(name string) error {
	if !validName.MatchString(name) {
		return fmt.Errorf("%q can't be the name of a program: use a-z, 0-9, - and _, and begin with a letter", name)
	}
	return nil
}

// checkModule says what is wrong with the path of a Go module.
func checkModule(path string) error {
	if err := module.CheckImportPath(path); err != nil {
		return fmt.Errorf("%w; give another one with -module, as in -module example.com/myapp", err)
	}
	first, _, _ := strings.Cut(path, "/")
	if first == "main" || first == "std" || first == "cmd" || first == "vendor" || first == "internal" || inStandardLibrary(first) {
		return fmt.Errorf("the module path %q begins as a package of Go itself does; give another one with -module, as in -module example.com/%s",
			path, path)
	}
	return nil
}

func inStandardLibrary(name string) bool {
	root, err := goOutput(".", "env", "GOROOT")
	if err != nil {
		return false // it will show soon enough that there is no Go
	}
	info, err := os.Stat(filepath.Join(root, "src", name))
	return err == nil && info.IsDir()
}

// checkFolder wants a place where nothing is.
func checkFolder(folder string) error {
	info, err := os.Lstat(folder)
	if errors.Is(err, fs.ErrNotExist) {
		parent, err := os.Stat(filepath.Dir(folder))
		if err != nil || !parent.IsDir() {
			return fmt.Errorf("there is no folder %s to make %s in; make it first", filepath.Dir(folder), filepath.Base(folder))
		}
		return nil
	}
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return fmt.Errorf("%s is there already, and is no folder; choose another name", folder)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	if len(entries) > 0 {
		return fmt.Errorf("the folder %s is not empty: it has %s; choose another name, or empty it first", folder, entries[0].Name())
	}
	return nil
}
