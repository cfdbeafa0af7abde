package routes
import "github.com/spf13/cobra"
func NewCommand() *cobra.Command { return &cobra.Command{Use: "routes"} }
