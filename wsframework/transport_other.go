//go:build !linux || 386

package wsframework

import "net"

// newRawTransport returns nil: this system takes the plain path.
func newRawTransport(net.Conn) transport { return nil }
