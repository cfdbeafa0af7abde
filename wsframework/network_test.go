package wsframework_test

import (
	"crypto/tls"
	"net"
	"net/http/httptest"
	"testing"
	"testing/synctest"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

// A network is where a test's server listens.
type network struct {
	name string
	fake bool // time is fake: the test runs in a synctest bubble
	make func(t *testing.T) (net.Listener, func() (net.Conn, error))
}

var networks = []network{
	{"pipe", true, func(t *testing.T) (net.Listener, func() (net.Conn, error)) {
		l := wstest.NewListener()
		return l, l.Dial
	}},
	{"tcp", false, listenTCP},
	{"wrapped", false, func(t *testing.T) (net.Listener, func() (net.Conn, error)) {
		l, dial := listenTCP(t)
		return wrappingListener{l}, dial
	}},
	{"tls", false, func(t *testing.T) (net.Listener, func() (net.Conn, error)) {
		s := httptest.NewUnstartedServer(nil)
		s.StartTLS() // for its certificate
		certificates := s.TLS.Certificates
		s.Close()
		l, _ := listenTCP(t)
		addr := l.Addr().String()
		return tls.NewListener(l, &tls.Config{Certificates: certificates}), func() (net.Conn, error) {
			return tls.Dial("tcp", addr, &tls.Config{InsecureSkipVerify: true})
		}
	}},
}

// overTCP is the network of tests that are about neither the network nor time.
var overTCP = networks[1]

func listenTCP(t *testing.T) (net.Listener, func() (net.Conn, error)) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l, func() (net.Conn, error) { return net.Dial("tcp", l.Addr().String()) }
}

// A wrappingListener hides the type of its connections, as a library that counts bytes would.
type wrappingListener struct{ net.Listener }

func (l wrappingListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return struct{ net.Conn }{c}, nil
}

// everywhere runs a test on every kind of network.
func everywhere(t *testing.T, test func(t *testing.T, n network)) {
	for _, n := range networks {
		t.Run(n.name, func(t *testing.T) {
			if n.fake {
				synctest.Test(t, func(t *testing.T) { test(t, n) })
			} else {
				test(t, n)
			}
		})
	}
}

// inBubble runs a test that is about time.
func inBubble(t *testing.T, test func(t *testing.T, n network)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, networks[0]) })
}
