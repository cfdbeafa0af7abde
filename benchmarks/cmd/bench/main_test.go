package main

import (
	"slices"
	"testing"

	"github.com/gotornado/gotornado/benchmarks/peers"
)

func TestChoosingPeers(t *testing.T) {
	names := func(list string) (names []string, err error) {
		chosen, err := choose(list, peers.Find, peers.All, func(p peers.Peer) bool { return !p.Slow })
		for _, p := range chosen {
			names = append(names, p.Name)
		}
		return names, err
	}
	if got, err := names("gws,bare"); err != nil || !slices.Equal(got, []string{"gws", "bare"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := names("gws,nobody"); err == nil {
		t.Error("a peer that does not exist is chosen")
	}
	if got, err := names(""); err != nil || !slices.Contains(got, "wsframework") || slices.Contains(got, "tornado") {
		t.Errorf("usually %q, %v", got, err)
	}
}
