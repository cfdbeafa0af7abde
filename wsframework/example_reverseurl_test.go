package wsframework_test

import (
	"fmt"

	"github.com/gotornado/gotornado/wsframework"
)

// A route that has a name is linked to by it, so that its pattern stands in one place.
func ExampleApplication_ReverseURL() {
	app := wsframework.NewApplication(wsframework.Settings{})
	app.Page("/rooms/{room}/messages/{id}", func() wsframework.Page { return new(RoomPage) }, wsframework.Name("message"))

	fmt.Println(app.ReverseURL("message", "tea & cake", 7))
	fmt.Println(app.ReverseURL("message", "tea & cake"))
	// Output:
	// /rooms/tea%20&%20cake/messages/7 <nil>
	//  wsframework: the URL of route "message": "/rooms/{room}/messages/{id}" has 2 wildcards, not 1
}
