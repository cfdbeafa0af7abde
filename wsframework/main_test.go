package wsframework_test

import (
	"os"
	"testing"

	"github.com/gotornado/gotornado/wsframework/wstest"
)

func TestMain(m *testing.M) { os.Exit(wstest.Main(m)) }
