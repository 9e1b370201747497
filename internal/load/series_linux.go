package load

import (
	"fmt"

	"time"

	"parkwire/internal/progress"
)

// A series is how a run went over time. When it grows long every second sample goes, and the others come half as often.
type series struct {
	samples []Sample
	every   time.Duration
}

const (
	sampleEvery = 100 * time.Millisecond
	maxSamples  = 1000
)

// sampling takes samples and shows the progress until done is closed.
func (r *runner) sampling(done <-chan struct{}) {
	line := progress.NewLine(r.Err, r.Terminal, 200*time.Millisecond)
	defer line.Clear()
	r.series.every = sampleEvery
	ticker := time.NewTicker(sampleEvery)
	defer ticker.Stop()
	r.sample()
	for tick := 1; ; tick++ {
		select {
		case <-done:
			r.sample()
			return
		case <-ticker.C:
		}
		if time.Duration(tick)*sampleEvery%r.series.every == 0 {
			r.sample()
		}
		if line.Due() {
			line.Show(r.soFar())
		}
	}
}

func (r *runner) sample() {
	s := &r.series
	one := Sample{Seconds: time.Since(r.began).Seconds(), Clients: r.open(), Delivered: r.delivered()}
	for i := range r.board.published {
		one.Published += r.board.published[i].Load()
	}
	if s.samples = append(s.samples, one); len(s.samples) > maxSamples {
		kept := s.samples[:0]
		for i := 0; i < len(s.samples); i += 2 {
			kept = append(kept, s.samples[i])
		}
		s.samples, s.every = kept, 2*s.every
	}
}

// soFar tells how far the run is.
func (r *runner) soFar() string {
	last := r.series.samples[len(r.series.samples)-1]
	rate := 0.0
	if n := len(r.series.samples); n > 10 {
		before := r.series.samples[n-11]
		rate = float64(last.Delivered-before.Delivered) / (last.Seconds - before.Seconds)
	}
	wrong := sum(r.board, func(c *counts) uint64 { return c.wrong.Load() })
	closed := sum(r.board, func(c *counts) int64 { return c.closed.Load() })
	text := fmt.Sprintf("%.0f s: %d of %d clients; %d events published, %d deliveries, %.0f/s", last.Seconds, last.Clients, r.Clients, last.Published, last.Delivered, rate)
	if behind := r.board.behind(); behind > 0 && !r.listening() {
		text += fmt.Sprintf(", %d under way", behind)
	}
	if wrong > 0 {
		text += fmt.Sprintf("; %d repeated, out of order or not asked for", wrong)
	}
	if closed > 0 {
		text += fmt.Sprintf("; %d connections lost", closed)
	}
	return text + r.pool.refusedText()
}
