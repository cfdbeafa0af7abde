// Command bare is the limit: a server that does nothing but read, unmask and write with raw system calls
// on Go's poller. It believes what its peer sends, knows neither fragments nor pings, and is no base for
// a real server.
//
// With -batch it writes once for all messages that one read has brought.
package main

import (
	"flag"
	"log"
	"net"

	"github.com/gotornado/gotornado/benchmarks/servers/internal/serve"
)

func main() {
	batch := flag.Bool("batch", false, "write once for all messages of a read")
	listener, _ := serve.Listen()
	var room group
	for {
		c, err := listener.Accept()
		if err != nil {
			log.Fatal(err)
		}
		go func() {
			defer c.Close()
			tcp, ok := c.(*net.TCPConn)
			if !ok {
				log.Fatal("bare: no TLS")
			}
			s, err := newSocket(tcp)
			if err != nil {
				log.Fatal(err)
			}
			path, err := s.handshake()
			if err != nil {
				return
			}
			answer := s.write
			if path == "/broadcast" {
				answer = room.write
				room.add(s)
			}
			farewell := s.serve(answer, *batch)
			room.remove(s)
			_ = s.write(farewell)
			s.have = 0
			s.release()
		}()
	}
}
