package breaker

import "testing"

func TestCapacityFor(t *testing.T) {
	for workers, want := range map[int]int{0: 0, 1: 0, 2: 1, 4: 3, 10: 8, 100: 80} {
		if got := capacityFor(workers); got != want {
			t.Errorf("%d workers: got a capacity of %d, want %d", workers, got, want)
		}
	}
}
