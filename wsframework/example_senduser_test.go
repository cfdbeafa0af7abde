package wsframework_test

import (
	"fmt"
	"net/http"

	"github.com/alexedwards/scs/v2"
	"github.com/gotornado/gotornado/wsframework"
)

// The sockets of a user are reached by what Settings.UserID says of him, whatever he has opened them with.
func ExampleApplication_SendUser() {
	type Account struct {
		Key  int
		Name string
	}
	app := wsframework.NewApplication(wsframework.Settings{
		Sessions: scs.New(),
		UserID:   func(user any) string { return fmt.Sprint(user.(*Account).Key) },
	})
	app.HandleFunc("POST /orders/{account}", func(w http.ResponseWriter, r *http.Request) {
		if err := app.SendUser(r.Context(), r.PathValue("account"), "your order has been sent"); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
}
