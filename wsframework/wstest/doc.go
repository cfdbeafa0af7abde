// Package wstest is a kit for tests of handlers: a test opens sockets and pages of an application in a few
// lines, without ports and without sleeping.
//
//	func TestHello(t *testing.T) {
//		c := wstest.Dial(t, newApp(), "/websocket", wstest.User("ann"))
//		c.Write("hello")
//		c.ExpectMatch(`^ann-.*-说:hello$`)
//		c.Close(1000, "bye")
//	}
//
// The first Dial serves the application, in memory, and the end of the test shuts it down; a handler that has
// not closed by then fails the test. So make an application for each test, and where subtests share one, call
// Serve in their parent. What a client expects and does not get within ten seconds (see Within) fails the test
// too, with everything that went over the connection so far, and when.
//
// Everything works in the bubbles of testing/synctest, where time is fake: a ticker of an hour, or the ping
// time-out, is tested in no time. (TCP and TLS do not, since nobody can fake the time of the network.)
//
// Methods of a Client, a Browser and Clients belong to the goroutine of their test, as t.Fatal does, except
// where they say otherwise.
package wstest
