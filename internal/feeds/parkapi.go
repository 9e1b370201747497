package feeds

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/directory"
	"parkwire/internal/event"
	"parkwire/internal/rest"
)

// Places and spots as ParkAPI v3 takes them from sources (CombinedParkingSiteInput and CombinedParkingSpotInput of parkapi-sources), in pages as its own
// interface answers.

const (
	maxParking     = 1000
	defaultParking = 1000
)

// parkingPage is a page of ParkAPI.
type parkingPage[T any] struct {
	Items      []T    `json:"items"`
	TotalCount int    `json:"total_count"`
	NextOffset int    `json:"next_offset,omitempty"`
	NextPath   string `json:"next_path,omitempty"`
}

type parkingRestriction struct {
	Type                 string `json:"type"`
	Capacity             *int   `json:"capacity,omitempty"`
	RealtimeCapacity     *int   `json:"realtime_capacity,omitempty"`
	RealtimeFreeCapacity *int   `json:"realtime_free_capacity,omitempty"`
}

type parkingSite struct {
	UID                   string               `json:"uid"`
	Name                  string               `json:"name"`
	Purpose               string               `json:"purpose"`
	Type                  string               `json:"type"`
	Address               string               `json:"address,omitempty"`
	Lat                   float64              `json:"lat"`
	Lon                   float64              `json:"lon"`
	Capacity              int                  `json:"capacity"`
	HasRealtimeData       bool                 `json:"has_realtime_data"`
	StaticDataUpdatedAt   parkingTime          `json:"static_data_updated_at"`
	RealtimeDataUpdatedAt *parkingTime         `json:"realtime_data_updated_at,omitempty"`
	RealtimeOpeningStatus string               `json:"realtime_opening_status,omitempty"`
	RealtimeCapacity      *int                 `json:"realtime_capacity,omitempty"`
	RealtimeFreeCapacity  *int                 `json:"realtime_free_capacity,omitempty"`
	Restrictions          []parkingRestriction `json:"restrictions,omitempty"`
}

type parkingSpot struct {
	UID                   string               `json:"uid"`
	Name                  string               `json:"name,omitempty"`
	ParkingSiteUID        string               `json:"parking_site_uid"`
	Purpose               string               `json:"purpose"`
	Type                  string               `json:"type,omitempty"`
	Lat                   float64              `json:"lat"`
	Lon                   float64              `json:"lon"`
	HasRealtimeData       bool                 `json:"has_realtime_data"`
	StaticDataUpdatedAt   parkingTime          `json:"static_data_updated_at"`
	RealtimeDataUpdatedAt *parkingTime         `json:"realtime_data_updated_at,omitempty"`
	RealtimeStatus        string               `json:"realtime_status,omitempty"`
	Restrictions          []parkingRestriction `json:"restrictions,omitempty"`
}

// parkingTime is a time in whole seconds.
type parkingTime struct{ time.Time }

func (t parkingTime) MarshalJSON() ([]byte, error) {
	return t.UTC().AppendFormat(nil, `"2006-01-02T15:04:05Z"`), nil
}

// audiences are ParkAPI's words for those for whom a category is.
var audiences = map[string]string{"accessible": "DISABLED", "family": "FAMILY", "electric": "CHARGING"}

// purposeOf is what kind of vehicle a spot is for.
func purposeOf(category string) string {
	if category == "motorcycle" {
		return "MOTORCYCLE"
	}
	return "CAR"
}

// inEurope reports whether ParkAPI takes a place: its bounds are those of Europe.
func inEurope(l *directory.Location) bool {
	return l != nil && l.Lat >= 34 && l.Lat <= 72 && l.Lon >= -27 && l.Lon <= 43
}

// realtime is up to when everything is known, in whole minutes so that it is the same for all who ask; zero where nothing ever happened. ParkAPI takes what
// is older than half an hour for no realtime data: a lot in which nothing changes is as well known as another one.
func (s *Service) realtime() time.Time {
	until := s.options.Until()
	if until.IsZero() {
		return time.Time{}
	}
	return until.UTC().Truncate(time.Minute)
}

func (s *Service) parkingSites(_ http.ResponseWriter, r *request) (*document, error) {
	return parkingList(s, r, "parking-sites", func(l *lot, until time.Time) []parkingSite {
		site, ok := s.parkingSite(l, until)
		if !ok {
			return nil
		}
		return []parkingSite{site}
	})
}

func (s *Service) parkingSpots(_ http.ResponseWriter, r *request) (*document, error) {
	return parkingList(s, r, "parking-spots", s.spotsOf)
}

// parkingList answers with a page of what describe says of each lot.
func parkingList[T any](s *Service, r *request, kind string, describe func(*lot, time.Time) []T) (*document, error) {
	if accepts(r, kindJSON) == "" {
		return nil, notAcceptable(kindJSON)
	}
	p := rest.ParseParams(r.URL.RawQuery)
	page := pageOf(p, "start", "limit", maxParking, defaultParking)
	purpose := choice(p, "purpose", "CAR", "MOTORCYCLE")
	if err := p.End(); err != nil {
		return nil, err
	}
	state, err := s.present.get(r.Context())
	if err != nil {
		return nil, err
	}
	until := s.realtime()
	key := strings.Join([]string{kind, r.reach(), fmt.Sprint(page), purpose}, "\n")
	return s.document(r.Context(), key, state.version+"."+until.Format(time.RFC3339), func(context.Context) (content, error) {
		var all []T
		for _, l := range r.lotsOf(state) {
			for _, item := range describe(l, until) {
				if purpose == "" || purpose == purposeIn(item) {
					all = append(all, item)
				}
			}
		}
		some, more := of(page, all)
		answer := parkingPage[T]{Items: append([]T{}, some...), TotalCount: len(all)}
		if more {
			answer.NextOffset = page.offset + page.limit
			answer.NextPath = with(r.URL, "start", strconv.Itoa(answer.NextOffset), "limit", strconv.Itoa(page.limit))
		}
		body, err := json.Marshal(answer)
		return content{kind: kindJSON, body: append(body, '\n')}, err
	})
}

func purposeIn(item any) string {
	switch item := item.(type) {
	case parkingSite:
		return item.Purpose
	case parkingSpot:
		return item.Purpose
	}
	return ""
}

// parkingSite describes a lot; false where ParkAPI has no room for it: it has no place in Europe. A site is for one kind of vehicle: motorcycles
// count where there is nothing else.
func (s *Service) parkingSite(l *lot, until time.Time) (parkingSite, bool) {
	if !inEurope(l.Location) {
		return parkingSite{}, false
	}
	purpose := "CAR"
	if len(l.spots) > 0 && !slices.ContainsFunc(l.spots, func(sp spot) bool { return purposeOf(sp.category) == "CAR" }) {
		purpose = "MOTORCYCLE"
	}
	its := func(sp spot) bool { return purposeOf(sp.category) == purpose }
	counted, _ := l.count(its)
	site := parkingSite{
		UID: l.ID, Name: l.Name, Purpose: purpose, Type: "OTHER", Address: l.Address, Lat: l.Location.Lat, Lon: l.Location.Lon,
		Capacity: counted.total, StaticDataUpdatedAt: parkingTime{l.ChangedAt},
	}
	if s.onStreet[l.ID] {
		site.Type = "ON_STREET"
	}
	realtime := counted.total > 0 && !until.IsZero()
	if realtime {
		site.HasRealtimeData, site.RealtimeDataUpdatedAt = true, &parkingTime{until}
		site.RealtimeOpeningStatus = openingStatus(counted)
		site.RealtimeCapacity, site.RealtimeFreeCapacity = new(counted.total-counted.closed), &counted.free
	}
	for _, category := range []string{"accessible", "family", "electric"} {
		some, _ := l.count(func(sp spot) bool { return its(sp) && sp.category == category })
		if some.total == 0 {
			continue
		}
		one := parkingRestriction{Type: audiences[category], Capacity: &some.total}
		if realtime {
			one.RealtimeCapacity, one.RealtimeFreeCapacity = new(some.total-some.closed), &some.free
		}
		site.Restrictions = append(site.Restrictions, one)
	}
	return site, true
}

func openingStatus(c counts) string {
	switch c.total {
	case c.closed:
		return "CLOSED"
	case c.unknown, c.unknown + c.closed:
		return "UNKNOWN"
	}
	return "OPEN"
}

// spotsOf describes the spots of a lot that have a place in Europe.
func (s *Service) spotsOf(l *lot, until time.Time) (all []parkingSpot) {
	for _, sp := range l.spots {
		if !inEurope(sp.location) {
			continue
		}
		one := parkingSpot{
			UID: sp.SpotID, Name: sp.name, ParkingSiteUID: l.ID, Purpose: purposeOf(sp.category), Lat: sp.location.Lat, Lon: sp.location.Lon,
			StaticDataUpdatedAt: parkingTime{sp.describedAt},
		}
		if s.onStreet[l.ID] {
			one.Type = "ON_STREET"
		}
		if !until.IsZero() {
			one.HasRealtimeData, one.RealtimeDataUpdatedAt, one.RealtimeStatus = true, &parkingTime{until}, spotStatus(sp.Status)
		}
		if audience := audiences[sp.category]; audience != "" {
			one.Restrictions = []parkingRestriction{{Type: audience}}
		}
		all = append(all, one)
	}
	return all
}

// spotStatus is ParkAPI's word: what nobody may park on is taken.
func spotStatus(s event.Status) string {
	switch s {
	case event.Free:
		return "AVAILABLE"
	case event.Occupied, event.Reserved, event.Closed, event.OutOfService:
		return "TAKEN"
	}
	return "UNKNOWN"
}
