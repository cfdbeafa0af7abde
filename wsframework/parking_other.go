//go:build !linux || 386

package wsframework

// A parking does nothing here: each connection waits in a goroutine of its own.
type parking struct{}

const parkEvents, passEvents = 0, 0

func (*parking) add(*conn, uint32) bool { return false }

func (*parking) remove(*conn) {}
