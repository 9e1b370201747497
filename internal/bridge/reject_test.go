package bridge

import (
	"testing"
	"time"
)

func TestWhileNothingCanBePutAsideOneBatchInAWhileWaitsLong(t *testing.T) {
	now := time.Now()
	r := rejects{patience: 5 * time.Second}
	for _, c := range []struct {
		failed time.Time
		want   time.Duration
	}{
		{time.Time{}, 5 * time.Second},
		{now, 500 * time.Millisecond},
		{now.Add(-29 * time.Second), 500 * time.Millisecond},
		{now.Add(-30 * time.Second), 5 * time.Second},
	} {
		r.failed = c.failed
		if got := r.patienceAt(now); got != c.want {
			t.Errorf("%v after the failure it is %v, want %v", now.Sub(c.failed), got, c.want)
		}
	}
}
