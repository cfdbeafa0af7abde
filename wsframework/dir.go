package wsframework

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Dir is a folder on disk as a file system, for the settings that take one:
//
//	Settings{Static: wsframework.Dir("static")}
//
// Unlike with os.DirFS, no symbolic link leads out of it. A relative path starts at the working
// directory. The folder is opened anew for each file, so it may be replaced while the program runs, as
// build tools do. All methods may be called from any goroutine.
type Dir string

// Open opens a file or folder for reading; the error is a *fs.PathError.
func (d Dir) Open(name string) (fs.File, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	local, err := filepath.Localize(name) // refuses what means something else on this system: NUL, a:b
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrInvalid}
	}
	file, err := os.OpenInRoot(string(d), local)
	if err != nil {
		return nil, err // not file, which would be an fs.File that is not nil
	}
	return file, nil
}

// checkFolder says, in terms of the setting that has it, why a folder on disk can't be used.
func checkFolder(setting string, fsys fs.FS) error {
	dir, ok := fsys.(Dir)
	if !ok {
		return nil
	}
	info, err := os.Stat(string(dir))
	switch {
	case err == nil && info.IsDir():
		return nil
	case err == nil:
		err = errors.New("it is a file")
	case errors.Is(err, fs.ErrNotExist):
		err = errors.New("it does not exist")
	}
	where := ""
	if here, problem := os.Getwd(); problem == nil && !filepath.IsAbs(string(dir)) {
		where = fmt.Sprintf(" (the working directory is %s)", here)
	}
	return fmt.Errorf("wsframework: %s: the folder %q can't be used: %w%s", setting, string(dir), err, where)
}
