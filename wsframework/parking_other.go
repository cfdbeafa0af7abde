//go:build !linux || 386

package wsframework

// A parking does nothing here: each connection waits in a goroutine of its own.
type parking struct{}

func (*parking) add(*conn) bool { return false }

func (*parking) remove(*conn) {}
