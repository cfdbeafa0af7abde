package peers

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const module = "github.com/gotornado/gotornado/benchmarks"

// A Workshop is where servers are built.
type Workshop struct {
	ctx     context.Context
	sources string // folder of this module
	dir     string // for what is built
	pem     string // file with a certificate and its key
}

// NewWorkshop makes a workshop in a temporary folder. It is to be closed.
func NewWorkshop(ctx context.Context) (*Workshop, error) {
	w := &Workshop{ctx: ctx}
	sources, err := w.output("", "go", "list", "-m", "-f", "{{.Dir}}", module)
	if err != nil {
		return nil, fmt.Errorf("run this in a checkout, in the module %s or in its workspace: %w", module, err)
	}
	w.sources = sources
	if w.dir, err = os.MkdirTemp("", "wsframework-benchmarks-"); err != nil {
		return nil, err
	}
	w.pem = filepath.Join(w.dir, "server.pem")
	if err := writeCertificate(w.pem); err != nil {
		return nil, errors.Join(err, w.Close())
	}
	return w, nil
}

// Close removes what was built.
func (w *Workshop) Close() error { return os.RemoveAll(w.dir) }

// Root is the folder of the checkout.
func (w *Workshop) Root() string { return filepath.Dir(w.sources) }

// output runs a command and returns what it prints, without the last line's end.
func (w *Workshop) output(dir, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(w.ctx, name, args...)
	cmd.Dir = dir
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(append([]string{name}, args...), " "), err, bytes.TrimSpace(stderr.Bytes()))
	}
	return strings.TrimSpace(string(out)), nil
}

// A Server is a peer that is ready to run.
type Server struct {
	Peer
	Version  string
	command  []string
	workshop *Workshop
}

// Install makes a peer ready to run. Its error wraps ErrNotInstalled if that is impossible here.
func (w *Workshop) Install(p Peer) (*Server, error) {
	command, version, err := p.kind.install(w)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", p.Name, err)
	}
	return &Server{p, version, slices.Concat(command, p.args), w}, nil
}

// A goServer is a program of this module.
type goServer struct {
	folder string
	module string // that it shows; "" if none but Go itself
}

func (k goServer) install(w *Workshop) (command []string, version string, err error) {
	binary := filepath.Join(w.dir, k.folder)
	if _, err := w.output(w.sources, "go", "build", "-o", binary, "./servers/"+k.folder); err != nil {
		return nil, "", err
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		return nil, "", err
	}
	version = info.GoVersion
	for _, dep := range info.Deps {
		if dep.Path == k.module {
			version = dep.Version
		}
	}
	if k.module == "github.com/gotornado/gotornado" {
		version = w.checkout()
	}
	return []string{binary}, version, nil
}

// checkout names the commit that is checked out.
func (w *Workshop) checkout() string {
	commit, err := w.output(w.sources, "git", "describe", "--always", "--tags")
	if err != nil {
		return "this checkout"
	}
	if changes, err := w.output(w.Root(), "git", "status", "--porcelain", "wsframework"); err != nil || changes != "" {
		commit += ", modified"
	}
	return commit
}

// A nodeServer is a script with a package.json. Its modules are installed beside it.
type nodeServer struct{ folder string }

func (k nodeServer) install(w *Workshop) (command []string, version string, err error) {
	node, err := exec.LookPath("node")
	if err != nil {
		return nil, "", fmt.Errorf("%w: no node", ErrNotInstalled)
	}
	dir := filepath.Join(w.sources, "servers", k.folder)
	wanted, err := packageJSON(filepath.Join(dir, "package.json"))
	if err != nil {
		return nil, "", err
	}
	installed := func() bool {
		found, err := packageJSON(filepath.Join(dir, "node_modules", k.folder, "package.json"))
		return err == nil && found.Version == wanted.Dependencies[k.folder]
	}
	if !installed() {
		if _, err := w.output(dir, "npm", "install", "--no-package-lock", "--no-audit", "--no-fund"); err != nil || !installed() {
			return nil, "", fmt.Errorf("%w: npm: %w", ErrNotInstalled, err)
		}
	}
	nodeVersion, err := w.output("", node, "--version")
	if err != nil {
		return nil, "", err
	}
	version = fmt.Sprintf("%s, Node %s", wanted.Dependencies[k.folder], nodeVersion)
	return []string{node, filepath.Join(dir, "server.js")}, version, nil
}

type nodePackage struct {
	Version      string
	Dependencies map[string]string
}

func packageJSON(file string) (p nodePackage, err error) {
	data, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(data, &p)
	}
	return p, err
}

// A pythonServer is a script that needs the package of its name.
type pythonServer struct{ folder string }

// pythons are tried in this order: Debian's packages belong to Debian's Python, which need not be the
// first in the PATH.
var pythons = []string{"/usr/bin/python3", "python3"}

func (k pythonServer) install(w *Workshop) (command []string, version string, err error) {
	const ask = `import platform, %[1]s; print(%[1]s.version + ", Python " + platform.python_version())`
	for _, python := range pythons {
		if version, err = w.output("", python, "-c", fmt.Sprintf(ask, k.folder)); err == nil {
			return []string{python, filepath.Join(w.sources, "servers", k.folder, "server.py")}, version, nil
		}
	}
	return nil, "", fmt.Errorf("%w: no %s for Python", ErrNotInstalled, k.folder)
}
