package wsframework

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
)

// makeFolder makes a folder on disk of names and texts in turn, with a file "secret" beside it.
func makeFolder(t testing.TB, namesAndTexts ...string) string {
	t.Helper()
	top := t.TempDir()
	folder := filepath.Join(top, "static")
	files := append([]string{"../secret", "secret"}, namesAndTexts...)
	for i := 0; i < len(files); i += 2 {
		path := filepath.Join(folder, filepath.FromSlash(files[i]))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	return folder
}

func TestDirIsAFileSystem(t *testing.T) {
	folder := makeFolder(t, "a.txt", "a", "js/chat.js", "chat", "js/lib/b.js", "")
	if err := fstest.TestFS(Dir(folder), "a.txt", "js/chat.js", "js/lib/b.js"); err != nil {
		t.Error(err)
	}
}

func TestDirKeepsInside(t *testing.T) {
	folder := makeFolder(t, "a.txt", "a")
	for link, target := range map[string]string{
		"out": "../secret", "up": "..", "far": "/etc", "inside": "a.txt", "absolute": filepath.Join(folder, "a.txt"),
	} {
		if err := os.Symlink(target, filepath.Join(folder, link)); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		"a.txt": "a", "inside": "a",
		"out": "", "up/secret": "", "far/hostname": "", "absolute": "", "../secret": "", "/etc/hostname": "",
		"./a.txt": "", "": "", "none": "", "a.txt/b": "", "a.txt\x00": "",
	} {
		got, err := fs.ReadFile(Dir(folder), name)
		if string(got) != want || (want == "") != (err != nil) {
			t.Errorf("%q: %q, %v", name, got, err)
		}
		var pathError *fs.PathError
		if err != nil && !errors.As(err, &pathError) {
			t.Errorf("%q: %T", name, err)
		}
	}
}

// Build tools remove the folder and make another.
func TestDirMayBeReplaced(t *testing.T) {
	folder := makeFolder(t, "a.txt", "old")
	dir := Dir(folder)
	if got, err := fs.ReadFile(dir, "a.txt"); string(got) != "old" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(makeFolder(t, "a.txt", "new"), folder); err != nil {
		t.Fatal(err)
	}
	if got, err := fs.ReadFile(dir, "a.txt"); string(got) != "new" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
}

func TestCheckFolder(t *testing.T) {
	folder := makeFolder(t, "a.txt", "a")
	for path, want := range map[string]string{
		folder:                              "",
		".":                                 "",
		"missing%d":                         `the folder "missing%d" can't be used: it does not exist (the working directory is `,
		"":                                  `the folder "" can't be used: it does not exist`,
		filepath.Join(folder, "a.txt"):      "can't be used: it is a file",
		filepath.Join(folder, "a.txt", "b"): "can't be used: ",
	} {
		err := checkFolder("Settings.Static", Dir(path))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) ||
			!strings.HasPrefix(err.Error(), "wsframework: Settings.Static: ")) {
			t.Errorf("%q: %v", path, err)
		}
	}
	if err := checkFolder("Settings.Static", fstest.MapFS{}); err != nil {
		t.Error(err)
	}
}

func BenchmarkDirOpen(b *testing.B) {
	dir := Dir(makeFolder(b, "js/chat.js", "chat"))
	b.ReportAllocs()
	for b.Loop() {
		file, err := dir.Open("js/chat.js")
		if err != nil {
			b.Fatal(err)
		}
		file.Close()
	}
}
