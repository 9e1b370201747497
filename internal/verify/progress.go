package verify

import "fmt"

// soFar tells how far a run is.
func (v *verifier) soFar() string {
	total := &phase{}
	for _, one := range *v.timeline.phases.Load() {
		total.include(one)
	}
	c := total.counts()
	return fmt.Sprintf("%.0f s (%s): %d acknowledged, %d refused, %d unanswered; %d delivered, %d repeated, %d out of order; %d of %d clients connected, %d reconnects",
		v.now().Seconds(), v.timeline.current().kind, c.Acknowledged, c.Refused, c.Unanswered, c.Delivered, c.Repeated, c.OutOfOrder,
		v.connected.Load(), v.Clients, c.Reconnects)
}
