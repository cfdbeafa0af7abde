// Package serve is what the Go servers under test have in common: their flags, their listener, and the
// line that tells the harness where they listen.
package serve

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"
	"log"
	"net"
	"net/http"
)

// Options are the flags of a server.
type Options struct {
	Compress bool // permessage-deflate, at the peer's own defaults, without context takeover
}

// A Setup makes the handler of /echo and /broadcast.
type Setup func(Options) http.Handler

// Main runs a server on net/http.
func Main(setup Setup) {
	listener, options := Listen()
	log.Fatal(http.Serve(listener, setup(options)))
}

// Listen parses the flags, listens, and prints the address on standard output.
func Listen() (net.Listener, Options) {
	var options Options
	addr := flag.String("addr", "127.0.0.1:0", "address to listen on")
	pem := flag.String("tls", "", "file with the certificate and its key; serve TLS")
	flag.BoolVar(&options.Compress, "compress", false, "offer permessage-deflate")
	flag.Parse()

	listener, err := listen(*addr, *pem)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	return listener, options
}

func listen(addr, pem string) (net.Listener, error) {
	listener, err := net.Listen("tcp", addr)
	if err != nil || pem == "" {
		return listener, err
	}
	certificate, err := tls.LoadX509KeyPair(pem, pem)
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	return tls.NewListener(listener, &tls.Config{
		Certificates: []tls.Certificate{certificate},
		NextProtos:   []string{"http/1.1"},
	}), nil
}

// MessageLimit is what servers are told to accept where their default is below the largest message of
// the benchmark.
const MessageLimit = 10 << 20
