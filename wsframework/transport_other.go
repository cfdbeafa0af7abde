//go:build !linux || 386

package wsframework

// newRawTransport returns nil: this system takes the plain path.
func newRawTransport(plainTransport) transport { return nil }
