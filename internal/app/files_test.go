package app

import "testing"

func TestAProcessTakesNoMoreClientsThanItHasFilesFor(t *testing.T) {
	for _, c := range []struct {
		set   int
		files uint64
		want  int
	}{
		{100_000, 0, 100_000},       // not known
		{100_000, 1 << 63, 100_000}, // unlimited
		{100_000, 100_200, 100_000},
		{100_000, 20_000, 19_800},
		{10, 100, 1},
	} {
		if got := mostClients(c.set, c.files); got != c.want {
			t.Errorf("live-max-clients %d with %d files: %d clients, not %d", c.set, c.files, got, c.want)
		}
	}
}
