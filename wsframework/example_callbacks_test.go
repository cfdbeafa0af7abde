package wsframework_test

import (
	"fmt"
	"time"

	"github.com/gotornado/gotornado/wsframework"
)

// Every calls a function again and again, beside no other callback of the application.
func ExampleApplication_Every() {
	app := wsframework.NewApplication(wsframework.Settings{})
	left, done := 3, make(chan bool)
	stop := app.Every(10*time.Millisecond, func() {
		if left > 0 {
			fmt.Println(left)
		}
		if left--; left == 0 {
			close(done)
		}
	})
	<-done
	stop()
	// Output:
	// 3
	// 2
	// 1
}

// CallLater calls a function once, unless it is stopped before.
func ExampleApplication_CallLater() {
	app := wsframework.NewApplication(wsframework.Settings{})
	done := make(chan bool)
	stop := app.CallLater(time.Hour, func() { fmt.Println("nobody came") })
	app.CallLater(10*time.Millisecond, func() {
		stop()
		fmt.Println("somebody came")
		close(done)
	})
	<-done
	// Output: somebody came
}
