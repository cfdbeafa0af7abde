//go:build !linux

package wsframework

// newRawTransport returns nil: this system takes the plain path.
func newRawTransport(plainTransport) transport { return nil }
