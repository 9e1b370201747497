package verify

import (
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
)

// findings are what is counted for the whole run, and the first examples of what should not be.
type findings struct {
	expired       atomic.Int64 // cursors that the platform's log did not reach
	foreign       atomic.Int64 // frames that are no event of our spots: what other programs publish goes to everybody
	snapshots     atomic.Int64 // that clients began with
	resets        atomic.Int64 // cursors of clients of snapshots that the log did not reach
	conflated     atomic.Int64 // events that the platform says it left out for slow clients
	hinted        atomic.Int64 // reconnections that waited as the platform asked
	forgottenOnes atomic.Int64 // acknowledged changes that the platform itself no longer had later

	mu       sync.Mutex
	endings  map[string]int // of connections, by reason
	examples []string
	refusal  string // an example of why writes were refused
}

// maxExamples bounds what is told one by one.
const maxExamples = 20

func (f *findings) example(format string, args ...any) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.examples) < maxExamples {
		f.examples = append(f.examples, fmt.Sprintf(format, args...))
	}
}

func (f *findings) frame(client int, one *frame, what string) {
	f.example("client %d: %s version %d %s", client+1, one.SpotID, one.Version, what)
}

func (f *findings) forgotten(spotID string, acknowledged, now int64) {
	f.forgottenOnes.Add(acknowledged - now)
	f.example("%s: version %d was acknowledged, and later the platform had version %d", spotID, acknowledged, now)
}

func (f *findings) refused(err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refusal = err.Error()
}

func (f *findings) ended(why string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.endings == nil {
		f.endings = map[string]int{}
	}
	f.endings[why]++
}

// lost counts what has not come to each client, when nothing more is waited for.
func (f *findings) lost(v *verifier, listeners []*listener) {
	for _, l := range listeners {
		beyond := l.book.missing(v.spots, func(h hole) {
			s := v.spots[h.spot]
			for version := int64(h.from); version <= int64(h.to); version++ {
				began, _ := s.began(version)
				v.timeline.at(began).lost.Add(1)
			}
			if h.from == h.to {
				f.example("client %d: %s version %d never came", l.number+1, s.id, h.from)
			} else {
				f.example("client %d: %s versions %d to %d never came", l.number+1, s.id, h.from, h.to)
			}
		})
		v.timeline.current().lost.Add(beyond)
	}
}

func (f *findings) copyOf() (endings map[string]int, examples []string, refusal string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	endings = map[string]int{}
	maps.Copy(endings, f.endings)
	return endings, append([]string{}, f.examples...), f.refusal
}
