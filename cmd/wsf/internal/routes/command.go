// Package routes lists the routes of programs: wsf routes.
package routes

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/gotornado/gotornado/cmd/wsf/internal/usage"
)

// A route is a line of the list.
type route struct {
	Method  string   `json:"method"`            // GET, POST, …; "ANY" for all of them
	Pattern string   `json:"pattern"`           // the whole, prefixes included
	Kind    string   `json:"kind"`              // websocket, page, handler, static or redirect
	Handler string   `json:"handler"`           // the type, or how the program writes it
	Options []string `json:"options,omitempty"` // as the program writes them, without the package
	File    string   `json:"file"`              // relative to the folder
	Line    int      `json:"line"`
}

// NewCommand makes wsf routes.
func NewCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "routes [FOLDER]",
		Short: "List the routes of a program",
		Long: `routes lists what a program registers on its application: sockets, pages, plain handlers, static files
and redirects, with their options and the line that registers them. It reads the source; nothing is run. What
only a running program knows, a pattern that is computed, say, is shown as the program writes it, in <>.`,
		Example: `  wsf routes
  wsf routes ./services/chat
  wsf routes -json | jq -r '.[] | select(.kind == "websocket") | .pattern'`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage.Errorf("give one folder: wsf routes ./services/chat")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			folder := "."
			if len(args) == 1 {
				folder = args[0]
			}
			found, err := list(cmd.Context(), folder)
			if err != nil {
				return err
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), found)
			}
			return write(cmd.OutOrStdout(), found)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as a JSON array")
	return cmd
}

func writeJSON(w io.Writer, routes []route) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(routes)
}

func write(w io.Writer, routes []route) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "METHOD\tPATTERN\tKIND\tHANDLER\tOPTIONS\tWHERE")
	for _, r := range routes {
		options := strings.Join(r.Options, " ")
		if options == "" {
			options = "-"
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s:%d\n", r.Method, r.Pattern, r.Kind, r.Handler, options, r.File, r.Line)
	}
	return t.Flush()
}
