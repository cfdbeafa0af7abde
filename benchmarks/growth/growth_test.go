package growth

import (
	"testing"
	"time"
)

func TestEveryCostIsMeasuredAtEverySize(t *testing.T) {
	sizes := []int{10, 30}
	lines, err := Measure(sizes, time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		if len(line.Values) != len(sizes) {
			t.Fatalf("%s: %d values at %d sizes", line.What, len(line.Values), len(sizes))
		}
		for i, value := range line.Values {
			if value <= 0 {
				t.Errorf("%s at %d: %f %s", line.What, line.Sizes[i], value, line.Unit)
			}
		}
	}
}
