package live

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"parkwire/internal/event"
)

func TestHowLongAChangeTookIsMeasuredAtItsLastClient(t *testing.T) {
	onEachEngine(t, func(t *testing.T) {
		registry := prometheus.NewRegistry()
		s := start(t, func(o *Options) { o.Registerer, o.Loops = registry, 1 })
		client := s.webSocket()
		publish := func(value string) {
			s.mu.Lock()
			p := s.log.append(0, value)
			s.mu.Unlock()
			if err := s.bus.Publish(t.Context(), event.AppendLogPosition(nil, []byte(value), p)); err != nil {
				t.Fatal(err)
			}
		}
		delays := func() (n uint64, sum float64) {
			families, err := registry.Gather()
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range families {
				if f.GetName() == "parkwire_live_delivery_delay_seconds" {
					h := f.GetMetric()[0].GetHistogram()
					return h.GetSampleCount(), h.GetSampleSum()
				}
			}
			t.Fatal("there is no such metric")
			return 0, 0
		}
		publish(`{"spotId":"B","status":"free","timestamp":"2001-01-01T00:00:00Z"}`) // of another program, whose clock nobody knows
		client.count(1)
		began := time.Now()
		accepted := began.Add(-time.Hour)
		publish(`{"type":"ParkingSpotUpdated","spotId":"A","status":"free","timestamp":"` + accepted.UTC().Format(time.RFC3339Nano) + `","version":1}`)
		client.count(2)
		s.eventually("it to be measured", func() bool { n, _ := delays(); return n == 1 })
		if _, sum := delays(); sum < 3600 || sum > 3600+time.Since(accepted).Seconds() {
			t.Errorf("a change that was accepted an hour ago took %v s", sum)
		}
		publish(`{"spotId":"B","status":"occupied","timestamp":"2001-01-01T00:00:00Z"}`)
		client.count(3)
		publish(`{"type":"ParkingSpotUpdated","spotId":"A","status":"free","timestamp":"` + time.Now().UTC().Format(time.RFC3339Nano) + `","version":2}`)
		client.count(4)
		s.eventually("the next one to be measured", func() bool { n, _ := delays(); return n == 2 })
		if _, sum := delays(); sum > time.Since(accepted).Seconds()+time.Since(began).Seconds() {
			t.Errorf("they took %v s together", sum)
		}
	})
}
