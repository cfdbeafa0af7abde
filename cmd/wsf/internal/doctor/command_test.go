package doctor_test

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/gotornado/gotornado/cmd/wsf/internal/doctor"
	"github.com/gotornado/gotornado/wsframework"
)

func TestUsage(t *testing.T) {
	noPEM := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(noPEM, []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	const url = "ws://127.0.0.1:1/"
	tests := []struct {
		args []string
		want string
	}{
		{nil, "give one URL"},
		{[]string{url, url}, "give one URL"},
		{[]string{"ftp://example.com"}, "no scheme of a WebSocket"},
		{[]string{"http:///websocket"}, "no host"},
		{[]string{"http://example.com/%zz"}, "malformed"},
		{[]string{"http://example.com/#top"}, "fragment"},
		{[]string{"--what", url}, "unknown flag: --what"},
		{[]string{"-H", "Authorization", url}, `write -H "Name: value"`},
		{[]string{"-H", "A: b\nC: d", url}, "no header"},
		{[]string{"-H", "Upgrade: h2c", url}, "leave it out"},
		{[]string{"-H", "sec-websocket-key: x", url}, "leave it out"},
		{[]string{"--cookie", "session", url}, "name=value"},
		{[]string{"--cookie", "a=b; c=d", url}, "once for each"},
		{[]string{"--ca", noPEM, url}, "no certificate"},
		{[]string{"--ca", noPEM + ".not", url}, "--ca"},
		{[]string{"--timeout=0s", url}, "above 0"},
		{[]string{"--slow=0s", url}, "above 0"},
		{[]string{"--idle=-1s", url}, "leave it out"},
		{[]string{"--idle=x", url}, "--idle"},
		{[]string{"--http-port=70000", url}, "--http-port"},
		{[]string{"--size=1GiB", url}, "256MiB"},
		{[]string{"--max=-1", url}, "256MiB"},
	}
	for _, tt := range tests {
		out, err := run(t, tt.args...)
		if err == nil || exitCode(err) != 2 || !strings.Contains(err.Error(), tt.want) || out != "" {
			t.Errorf("%q: %v, %q; want %q", tt.args, err, out, tt.want)
		}
	}
}

func TestExitCodes(t *testing.T) {
	t.Parallel()
	warned := "ws://" + serve(t, newApp(t, wsframework.Settings{AllowedOrigins: []string{"*"}})) + "/websocket"
	for _, tt := range []struct {
		args []string
		want int
	}{
		{[]string{warned}, 0},
		{[]string{"--strict", warned}, 3},
		{[]string{"--strict", warned + "/nowhere"}, 1},
	} {
		_, err := run(t, append(tt.args, "--idle=0")...)
		if got := exitCode(err); got != tt.want || err != nil && err.Error() != "" {
			t.Errorf("%q: %d, %v; want %d", tt.args, got, err, tt.want)
		}
	}
}

// TestText looks at what a file gets.
func TestText(t *testing.T) {
	t.Parallel()
	addr := serve(t, newApp(t, wsframework.Settings{AllowedOrigins: []string{"*"}}))
	out, err := run(t, "--idle=0", "ws://ann:secret@"+addr+"/websocket?token=secret")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"wsf doctor http://" + addr + "/websocket\n",
		"\nreach\n  ok    dns          127.0.0.1 is an address\n",
		"\n  WARN  foreign      pages of any other site are let in",
		"\n        -> wsframework: take \"*\" out",
		"\n  skip  tls, certificate  the URL is not encrypted\n",
		"\n\n0 problems, 2 warnings, ",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
	if strings.ContainsFunc(out, func(r rune) bool { return r > '~' || r < ' ' && r != '\n' }) {
		t.Errorf("not only ASCII:\n%s", out)
	}
	if strings.Contains(out, "secret") {
		t.Errorf("it tells the secrets of the URL:\n%s", out)
	}
}

// TestInterrupted ends the command while connections are left alone.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	const last = 14 // connections, of which two are left alone
	var opened atomic.Int32
	proxy := relay(t, serve(t, newApp(t, wsframework.Settings{})), pass, func(to, from net.Conn) {
		if opened.Add(1) == last {
			cancel()
		}
		pass(to, from)
	})
	cmd := doctor.NewCommand()
	var out strings.Builder
	cmd.SetOut(&out)
	cmd.SetArgs([]string{"--idle=10m", "ws://" + proxy + "/websocket"})
	err := cmd.ExecuteContext(ctx)
	if err == nil || exitCode(err) != 1 || !strings.Contains(err.Error(), "interrupted") || ctx.Err() != context.Canceled {
		t.Errorf("error %v after %d connections, %v", err, opened.Load(), ctx.Err())
	}
	if !strings.Contains(out.String(), "  skip  answering, silent  interrupted\n") || !strings.Contains(out.String(), "skipped.\n") {
		t.Errorf("no report:\n%s", out.String())
	}
}
