package e2e

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gotornado/gotornado/internal/testtool"
	"github.com/gotornado/gotornado/wsframework"
	"github.com/gotornado/gotornado/wsframework/wstest"
)

// The peers of testdata/interop, as clients of our server and as servers for our client, with every
// combination of the parameters of permessage-deflate that they can offer or accept; see peer.py there.

const interop = "testdata/interop"

// An interopPeer is one maker's implementation.
type interopPeer struct {
	name    string
	command func(t *testing.T) []string
	least   int // the smallest window that it takes as a parameter, in bits
	fixed   bool
}

func python(module string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		return []string{testtool.Need(t, "python3-"+module, findPython(module)), filepath.Join(interop, module+"_peer.py")}
	}
}

func node(module string) func(*testing.T) []string {
	return func(t *testing.T) []string {
		node := testtool.Need(t, "nodejs", func() string { return testtool.FindProgram("node") })
		testtool.Need(t, "npm", func() string {
			installed := filepath.Join(interop, "node_modules", module)
			if _, err := os.Stat(installed); err != nil {
				install := exec.Command("npm", "install", "--no-package-lock", "--no-audit", "--no-fund")
				install.Dir = interop
				if output, err := install.CombinedOutput(); err != nil {
					t.Logf("npm install: %v\n%s", err, output)
					return ""
				}
			}
			return installed
		})
		return []string{node, filepath.Join(interop, "node_peer.js"), module}
	}
}

var interopPeers = []interopPeer{
	{name: "websockets", command: python("websockets"), least: 8},
	{name: "wsproto", command: python("wsproto"), least: 9},
	{name: "autobahn", command: python("autobahn"), least: 9},
	{name: "ws", command: node("ws"), least: 8},
	{name: "undici", command: node("undici"), fixed: true},
}

type parameters map[string]any

// sets are what goes without compression, and the combinations of a peer's parameters: each pair of flags
// with each window of the server, and each window of the client in turn.
func (p interopPeer) sets() []any {
	if p.fixed {
		return []any{"as it is", "as it is"}
	}
	sets := []any{"off"}
	clients := []int{0, 9, 10, 11, 12, 13, 14, 15} // zlib does not compress with less
	for flags := range 4 {
		for server := p.least - 1; server <= 15; server++ {
			set := parameters{}
			if flags&1 != 0 {
				set["server_no_context_takeover"] = true
			}
			if flags&2 != 0 {
				set["client_no_context_takeover"] = true
			}
			if server >= p.least {
				set["server_max_window_bits"] = server
			}
			if client := clients[(server+flags)%len(clients)]; client > 0 {
				set["client_max_window_bits"] = client
			}
			sets = append(sets, set)
		}
	}
	return sets
}

// start runs a peer until the test ends; its lines come one by one, and the channel closes with it.
func (p interopPeer) start(t *testing.T, arguments ...string) (lines <-chan string, wait func() error) {
	t.Helper()
	command := append(p.command(t), arguments...)
	process := exec.CommandContext(t.Context(), command[0], command[1:]...)
	process.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1", "PYTHONIOENCODING=utf-8")
	var complaints bytes.Buffer
	process.Stderr = &complaints
	output, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	printed := make(chan string, 1000)
	ended := make(chan error, 1)
	go func() {
		for scanner := bufio.NewScanner(output); scanner.Scan(); {
			printed <- scanner.Text()
		}
		close(printed)
		err := process.Wait()
		if err != nil && complaints.Len() > 0 {
			err = fmt.Errorf("%w: %s", err, &complaints)
		}
		ended <- err
		close(ended)
	}()
	t.Cleanup(func() { process.Process.Kill(); <-ended })
	return printed, func() error { return <-ended }
}

func TestInteropClients(t *testing.T) {
	for _, peer := range interopPeers {
		t.Run(peer.name, func(t *testing.T) {
			for name, options := range compressions {
				t.Run(name, func(t *testing.T) {
					sets := peer.sets()
					if options == nil {
						sets = sets[:2] // all offers are declined alike
					}
					argument, err := json.Marshal(sets)
					if err != nil {
						t.Fatal(err)
					}
					log := wstest.NewLog(t)
					app := wsframework.NewApplication(wsframework.Settings{Logger: log.Logger(slog.LevelWarn), MaxMessageSize: 17 << 20, MaxPendingOut: 64 << 20, Compression: options})
					app.WebSocket("/echo", func() wsframework.Handler { return new(echoHandler) })
					site := "ws" + strings.TrimPrefix(wstest.Serve(t, app, wstest.TCP()), "http")
					lines, wait := peer.start(t, "client", site+"/echo", string(argument))
					n := 0
					for line := range lines {
						agreed := strings.HasPrefix(line, "answer permessage-deflate")
						if want := sets[n] != any("off") && options != nil; agreed != want {
							t.Errorf("%v: %s", sets[n], line)
						}
						n++
					}
					if err := wait(); err != nil || n != len(sets) {
						t.Fatalf("%d of %d connections, behind which is %v: %v", n, len(sets), sets[min(n, len(sets)-1)], err)
					}
					log.ExpectNothing()
				})
			}
		})
	}
}

func TestInteropServers(t *testing.T) {
	for _, peer := range interopPeers {
		if peer.fixed {
			continue // there is no server
		}
		t.Run(peer.name, func(t *testing.T) {
			peer.least = 9 // likewise
			sets := peer.sets()
			argument, err := json.Marshal(sets)
			if err != nil {
				t.Fatal(err)
			}
			lines, _ := peer.start(t, "server", string(argument))
			for i, set := range sets {
				port, _ := strings.CutPrefix(receive(t, lines), "port ")
				address := "ws://" + net.JoinHostPort("127.0.0.1", port)
				for name, options := range compressions {
					if err := interopEcho(t, address, options, i); err != nil {
						t.Errorf("%v, client %s: %v", set, name, err)
					}
				}
			}
		})
	}
}

// interopEcho has messages of random sizes echoed, for every twentieth connection one of 16 MiB.
func interopEcho(t *testing.T, address string, options *wsframework.CompressionOptions, number int) error {
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	c, err := wsframework.Connect(ctx, address, &wsframework.ConnectOptions{Compression: options, MaxMessageSize: 17 << 20})
	if err != nil {
		return err
	}
	sizes := []int{0, 1}
	for range 6 {
		sizes = append(sizes, int(math.Exp2(17*rand.Float64())))
	}
	if number%20 == 1 {
		sizes = append(sizes, 16<<20)
	}
	for _, size := range sizes {
		data, kind := noiseOf(size), wsframework.BinaryMessage
		if rand.IntN(2) == 0 {
			data, kind = []byte(strings.Repeat("明白 is said again. ", size/22+1)[:size/22*22]), wsframework.TextMessage
		}
		if err := c.WriteMessage(wsframework.Message{Type: kind, Data: data}); err != nil {
			return err
		}
		m, err := c.ReadMessage(ctx)
		if err != nil {
			return fmt.Errorf("%d bytes: %w (%s)", len(data), err, c.Header().Get("Sec-WebSocket-Extensions"))
		}
		if m.Type != kind || !bytes.Equal(m.Data, data) {
			return fmt.Errorf("%v of %d bytes came back as %v of %d bytes", kind, len(data), m.Type, len(m.Data))
		}
	}
	c.Close(1000, "")
	var end *wsframework.CloseError
	if _, err := c.ReadMessage(ctx); !errors.As(err, &end) || end.Code != 1000 {
		return fmt.Errorf("the end: %w", err)
	}
	return nil
}
