package clienttest

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"

	"parkwire/internal/client"
	"parkwire/internal/event"
)

func (p *Platform) getLot(w http.ResponseWriter, r *http.Request) {
	lot, ok := p.lots[r.PathValue("lot")]
	if !ok {
		refuse(w, 404, "There is no such lot.")
		return
	}
	answer(w, 200, lot)
}

func (p *Platform) postLot(w http.ResponseWriter, r *http.Request) {
	var lot client.Lot
	_ = json.NewDecoder(r.Body).Decode(&lot)
	if _, taken := p.lots[lot.ID]; taken {
		refuse(w, 409, "The id is taken.")
		return
	}
	if _, err := time.LoadLocation(lot.TimeZone); lot.ID == "" || lot.Name == "" || err != nil {
		refuse(w, 400, "A lot has an id, a name and a known time zone.")
		return
	}
	p.lots[lot.ID] = lot
	answer(w, 201, lot)
}

func (p *Platform) postZone(w http.ResponseWriter, r *http.Request) {
	var zone client.Zone
	_ = json.NewDecoder(r.Body).Decode(&zone)
	if p.zones[zone.ID] {
		refuse(w, 409, "The id is taken.")
		return
	}
	p.zones[zone.ID] = true
	answer(w, 201, zone)
}

func (p *Platform) view(id string) client.Spot {
	s := p.spots[id]
	v := client.Spot{SpotID: id, LotID: s.lot, Occupancy: s.status, Closed: s.closed, Faulted: s.faulted, LastObservedAt: event.At(s.last)}
	if s.reference != "" {
		v.Reservation = &struct{}{}
	}
	return v
}

// getSpots pages by two hundred, whatever is asked for.
func (p *Platform) getSpots(w http.ResponseWriter, r *http.Request) {
	if _, ok := p.lots[r.PathValue("lot")]; !ok {
		refuse(w, 404, "There is no such lot.")
		return
	}
	var ids []string
	for id, s := range p.spots {
		if s.lot == r.PathValue("lot") && id > r.URL.Query().Get("cursor") {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	var page struct {
		Items []client.Spot `json:"items"`
		Next  string        `json:"next,omitempty"`
	}
	for i, id := range ids {
		if i == 200 {
			page.Next = ids[i-1]
			break
		}
		page.Items = append(page.Items, p.view(id))
	}
	answer(w, 200, page)
}

func (p *Platform) getSpot(w http.ResponseWriter, r *http.Request) {
	if p.spots[r.PathValue("spot")] == nil {
		refuse(w, 404, "There is no such spot.")
		return
	}
	answer(w, 200, p.view(r.PathValue("spot")))
}

func (p *Platform) postSpots(w http.ResponseWriter, r *http.Request) {
	var spots []client.NewSpot
	_ = json.NewDecoder(r.Body).Decode(&spots)
	if _, ok := p.lots[r.PathValue("lot")]; !ok {
		refuse(w, 404, "There is no such lot.")
		return
	}
	for _, s := range spots {
		switch {
		case p.spots[s.SpotID] != nil:
			refuse(w, 409, "The id "+s.SpotID+" is taken.")
			return
		case strings.Contains(s.SpotID, " "):
			refuse(w, 400, "The id "+s.SpotID+" is none.")
			return
		case s.ZoneID != "" && !p.zones[s.ZoneID]:
			refuse(w, 400, "There is no zone "+s.ZoneID+".")
			return
		}
	}
	for _, s := range spots {
		p.spots[s.SpotID] = &spot{lot: r.PathValue("lot"), status: string(s.Status), last: s.ObservedAt.Time}
		p.events = append(p.events, Event{s.SpotID, "added", string(s.Status), s.ObservedAt.Time})
	}
	answer(w, 201, map[string]any{"items": spots})
}

func (p *Platform) observe(w http.ResponseWriter, r *http.Request) {
	var readings []client.Observation
	if err := json.NewDecoder(r.Body).Decode(&readings); err != nil {
		refuse(w, 400, "The body is not valid JSON.")
		return
	}
	var o client.Outcome
	for i, one := range readings {
		s := p.spots[one.SpotID]
		status, change := "free", "released"
		if one.Occupied {
			status, change = "occupied", "occupied"
		}
		switch {
		case s == nil || one.ObservedAt.After(time.Now().Add(time.Minute)):
			o.Rejected++
			o.Errors = append(o.Errors, client.Rejection{Line: i + 1, SpotID: one.SpotID, Reason: "unknown spot, or a time to come"})
			continue
		case one.ObservedAt.Before(s.last), one.ObservedAt.Equal(s.last) && s.status != status:
			o.Late++
			continue
		}
		s.last = one.ObservedAt.Time
		if s.status == status {
			o.Unchanged++
			continue
		}
		o.Accepted++
		s.status = status
		p.events = append(p.events, Event{one.SpotID, change, status, one.ObservedAt.Time})
	}
	p.outcome.Accepted += o.Accepted
	p.outcome.Unchanged += o.Unchanged
	p.outcome.Late += o.Late
	p.outcome.Rejected += o.Rejected
	answer(w, 200, o)
}

func (p *Platform) act(w http.ResponseWriter, r *http.Request) {
	s := p.spots[r.PathValue("spot")]
	if s == nil {
		refuse(w, 404, "There is no such spot.")
		return
	}
	switch r.PathValue("action") {
	case "close", "reopen":
		s.closed = r.PathValue("action") == "close"
	case "fault", "repair":
		s.faulted = r.PathValue("action") == "fault"
	default:
		refuse(w, 404, "There is no such action.")
		return
	}
	p.events = append(p.events, Event{SpotID: r.PathValue("spot"), Change: r.PathValue("action")})
	answer(w, 200, p.view(r.PathValue("spot")))
}

func (p *Platform) reserve(w http.ResponseWriter, r *http.Request) {
	s := p.spots[r.PathValue("spot")]
	if s == nil {
		refuse(w, 404, "There is no such spot.")
		return
	}
	var body struct{ Reference string }
	_ = json.NewDecoder(r.Body).Decode(&body) // of DELETE: empty
	if body.Reference != "" && (s.reference != "" || s.closed || s.faulted || s.status == "occupied") {
		refuse(w, 409, "The spot cannot be reserved.")
		return
	}
	s.reference = body.Reference
	change := "reserved"
	if s.reference == "" {
		change = "reservation_ended"
	}
	p.events = append(p.events, Event{SpotID: r.PathValue("spot"), Change: change})
	answer(w, 200, p.view(r.PathValue("spot")))
}
