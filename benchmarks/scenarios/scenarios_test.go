package scenarios

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/gotornado/gotornado/benchmarks/load"
	"github.com/gotornado/gotornado/benchmarks/peers"
)

// shrink returns a scenario that is done in a moment.
func shrink(t *testing.T, s load.Scenario) load.Scenario {
	switch s := s.(type) {
	case load.Echo:
		s.Connections = min(s.Connections, 4)
		return s
	case load.Broadcast:
		s.Members = min(s.Members, 20)
		return s
	case load.Handshake:
		s.Connections, s.Width = 50, 8
		return s
	case load.Idle:
		s.Connections, s.Settle = 30, 10*time.Millisecond
		return s
	case load.Flood:
		return s
	}
	t.Fatalf("what is a small %T?", s)
	return nil
}

// Every peer does the work of every row: the load says so, which checks each message. No figure is looked
// at, as the machine may be busy.
func TestEveryPeerDoesEveryRow(t *testing.T) {
	workshop, err := peers.NewWorkshop(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer workshop.Close()
	window := load.Window{WarmUp: 10 * time.Millisecond, Measure: 100 * time.Millisecond}
	for _, p := range peers.All {
		t.Run(p.Name, func(t *testing.T) {
			server, err := workshop.Install(p)
			if errors.Is(err, peers.ErrNotInstalled) && os.Getenv("CI") != "true" {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range All {
				if !row.Has(p) {
					continue
				}
				row.Scenario = shrink(t, row.Scenario)
				t.Run(row.Name, func(t *testing.T) {
					if _, err := row.Run(server, -1, window); err != nil && !errors.Is(err, load.ErrNothing) {
						t.Fatal(err)
					}
				})
			}
		})
	}
}

func TestNamesAreUnique(t *testing.T) {
	seen := make(map[string]bool)
	for _, row := range All {
		if found, err := Find(row.Name); seen[row.Name] || err != nil || found.Title != row.Title {
			t.Errorf("row %q: seen %t, %v", row.Name, seen[row.Name], err)
		}
		seen[row.Name] = true
	}
	if _, err := Find("no such row"); err == nil {
		t.Error("a row that does not exist is found")
	}
}

func TestPeersForRows(t *testing.T) {
	plain, encrypted := Row{Name: "plain"}, Row{Name: "encrypted", TLS: true}
	bare, limited := peers.Peer{NoTLS: true}, peers.Peer{Rows: []string{"encrypted"}}
	if !plain.Has(bare) || encrypted.Has(bare) || plain.Has(limited) || !encrypted.Has(limited) {
		t.Error("wrong peers in rows")
	}
}
