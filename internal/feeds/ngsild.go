package feeds

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

// The types of FIWARE's smart data models for parking that are served, as entities of NGSI-LD in the simplified form (options=keyValues).
const (
	typeParkingSpot      = "ParkingSpot"
	typeOnStreetParking  = "OnStreetParking"
	typeOffStreetParking = "OffStreetParking"
)

var entityTypes = []string{typeParkingSpot, typeOnStreetParking, typeOffStreetParking}

const (
	parkingContext = "https://raw.githubusercontent.com/smart-data-models/dataModel.Parking/master/context.jsonld"
	contextLink    = `<` + parkingContext + `>; rel="http://www.w3.org/ns/json-ld#context"; type="application/ld+json"`
	coreContext    = "https://uri.etsi.org/ngsi-ld/v1/ngsi-ld-core-context.jsonld"
	kindLD         = "application/ld+json"

	maxEntities     = 1000
	defaultEntities = 100
)

// pointView is a place in GeoJSON.
type pointView struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"` // longitude, latitude
}

func pointOf(lat, lon float64) pointView { return pointView{"Point", [2]float64{lon, lat}} }

// spotEntity is a spot. Whom it is for cannot be said: the model's category is where it lies.
type spotEntity struct {
	ID             string     `json:"id"`
	Type           string     `json:"type"`
	Name           string     `json:"name,omitempty"`
	Status         string     `json:"status"`
	Location       pointView  `json:"location"`
	Category       []string   `json:"category"`
	RefParkingSite string     `json:"refParkingSite"`
	DateModified   event.Time `json:"dateModified"`
	Context        []string   `json:"@context,omitempty"`
}

// siteEntity is a lot, on the street or off it.
type siteEntity struct {
	ID                     string      `json:"id"`
	Type                   string      `json:"type"`
	Name                   string      `json:"name"`
	Location               pointView   `json:"location"`
	TotalSpotNumber        int         `json:"totalSpotNumber,omitempty"` // the model off the street begins at 1
	AvailableSpotNumber    int         `json:"availableSpotNumber"`
	OccupiedSpotNumber     int         `json:"occupiedSpotNumber"`
	OccupancyDetectionType []string    `json:"occupancyDetectionType"`
	OccupancyModified      *event.Time `json:"occupancyModified,omitempty"`
	Context                []string    `json:"@context,omitempty"`
}

// urn is the id of an entity.
func urn(kind, id string) string { return "urn:ngsi-ld:" + kind + ":" + url.PathEscape(id) }

func unURN(text string) (kind, id string, ok bool) {
	rest, found := strings.CutPrefix(text, "urn:ngsi-ld:")
	kind, escaped, apart := strings.Cut(rest, ":")
	id, err := url.PathUnescape(escaped)
	return kind, id, found && apart && err == nil && slices.Contains(entityTypes, kind)
}

// entityStatus is the model's word for a status. It has none for what is reserved or out of service: nobody may park there now.
func entityStatus(s event.Status) string {
	switch s {
	case event.Free, event.Occupied:
		return string(s)
	case event.Closed, event.OutOfService, event.Reserved:
		return "closed"
	}
	return "unknown"
}

func (s *Service) siteType(l *lot) string {
	if s.onStreet[l.ID] {
		return typeOnStreetParking
	}
	return typeOffStreetParking
}

func (s *Service) spotEntity(l *lot, sp spot, ld []string) spotEntity {
	kind := s.siteType(l)
	category := "offStreet"
	if kind == typeOnStreetParking {
		category = "onStreet"
	}
	return spotEntity{
		ID: urn(typeParkingSpot, sp.SpotID), Type: typeParkingSpot, Name: sp.name, Status: entityStatus(sp.Status),
		Location: pointOf(sp.location.Lat, sp.location.Lon), Category: []string{category}, RefParkingSite: urn(kind, l.ID),
		DateModified: event.At(sp.Since), Context: ld,
	}
}

func (s *Service) siteEntity(l *lot, ld []string) siteEntity {
	kind := s.siteType(l)
	counted, changed := l.count(func(spot) bool { return true })
	e := siteEntity{
		ID: urn(kind, l.ID), Type: kind, Name: l.Name, Location: pointOf(l.Location.Lat, l.Location.Lon), TotalSpotNumber: counted.total,
		AvailableSpotNumber: counted.free, OccupiedSpotNumber: counted.occupied, OccupancyDetectionType: []string{"singleSpaceDetection"}, Context: ld,
	}
	if !changed.IsZero() {
		t := event.At(changed)
		e.OccupancyModified = &t
	}
	return e
}

// ldKind settles the media type, and what stands in each entity as its context; a plain one has that in a header.
func ldKind(r *request) (kind string, ld []string, header http.Header, err error) {
	switch kind = accepts(r, kindJSON, kindLD); kind {
	case kindLD:
		return kind, []string{coreContext, parkingContext}, http.Header{}, nil
	case kindJSON:
		return kind, nil, http.Header{"Link": {contextLink}}, nil
	}
	return "", nil, nil, notAcceptable(kindJSON, kindLD)
}

// entities answers as GET /ngsi-ld/v1/entities of ETSI GS CIM 009 does.
func (s *Service) entities(_ http.ResponseWriter, r *request) (*document, error) {
	kind, ld, header, err := ldKind(r)
	if err != nil {
		return nil, err
	}
	q, err := readEntityQuery(r)
	if err != nil {
		return nil, err
	}
	state, err := s.present.get(r.Context())
	if err != nil {
		return nil, err
	}
	key := strings.Join([]string{"entities", kind, r.reach(), q.key(), r.URL.Path}, "\n")
	return s.document(r.Context(), key, state.version, func(context.Context) (content, error) {
		found := s.find(r.lotsOf(state), q)
		some, more := of(q.page, found)
		entities := make([]any, len(some))
		for i, f := range some {
			entities[i] = f(ld)
		}
		if q.count {
			header.Set("NGSILD-Results-Count", strconv.Itoa(len(found)))
		}
		if more {
			next := with(r.URL, "offset", strconv.Itoa(q.page.offset+q.page.limit), "limit", strconv.Itoa(q.page.limit))
			header.Add("Link", `<`+next+`>; rel="next"; type="`+kind+`"`)
		}
		body, err := json.Marshal(entities)
		return content{kind: kind, body: append(body, '\n'), header: header}, err
	})
}

// entityQuery is what is asked for.
type entityQuery struct {
	types []string
	ids   map[string]bool // nil: all
	site  string          // only spots of this one; "": all
	page  window
	count bool
}

func (q entityQuery) key() string {
	ids := make([]string, 0, len(q.ids))
	for id := range q.ids {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return fmt.Sprintf("%q %q %q %v %t", q.types, ids, q.site, q.page, q.count)
}

func readEntityQuery(r *request) (entityQuery, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	q := entityQuery{page: pageOf(p, "offset", "limit", maxEntities, defaultEntities)}
	kinds, _ := p.One("type")
	q.types = words(kinds)
	for _, kind := range q.types {
		if !slices.Contains(entityTypes, kind) {
			p.Fail("type", "of "+strings.Join(entityTypes, ", "), strconv.Quote(kind))
		}
	}
	ids, _ := p.One("id")
	for _, id := range words(ids) {
		if q.ids == nil {
			q.ids = map[string]bool{}
		}
		q.ids[id] = true
	}
	if len(q.ids) > maxEntities {
		p.Fail("id", fmt.Sprintf("at most %d ids", maxEntities), strconv.Itoa(len(q.ids)))
	}
	if len(q.types) == 0 && q.ids == nil {
		p.Fail("type", "there, or id: one or more of "+strings.Join(entityTypes, ", "), "missing")
	}
	if len(q.types) == 0 {
		q.types = entityTypes
	}
	if text, there := p.One("q"); there {
		site, ok := strings.CutPrefix(text, "refParkingSite==")
		if q.site = strings.Trim(site, `"`); !ok || q.site == "" {
			p.Fail("q", `refParkingSite=="ID" and nothing else`, strconv.Quote(text))
		}
	}
	options, _ := p.One("options")
	for _, option := range words(options) {
		if option != "keyValues" && option != "simplified" && option != "count" {
			p.Fail("options", "keyValues (or simplified), the form in which entities are served", strconv.Quote(option))
		}
		q.count = q.count || option == "count"
	}
	choice(p, "format", "keyValues", "simplified")
	q.count = p.Flag("count") || q.count
	return q, p.End()
}

// find returns what makes the entities that are asked for, in order: those of a lot together, the lot first. What has no place cannot be
// said, since the models require one.
func (s *Service) find(lots []*lot, q entityQuery) (found []func(ld []string) any) {
	wants := func(kind, id string) bool {
		return slices.Contains(q.types, kind) && (q.ids == nil || q.ids[urn(kind, id)])
	}
	for _, l := range lots {
		kind := s.siteType(l)
		if l.Location != nil && q.site == "" && wants(kind, l.ID) {
			found = append(found, func(ld []string) any { return s.siteEntity(l, ld) })
		}
		if q.site != "" && q.site != urn(kind, l.ID) || !slices.Contains(q.types, typeParkingSpot) {
			continue
		}
		for _, sp := range l.spots {
			if sp.location != nil && wants(typeParkingSpot, sp.SpotID) {
				found = append(found, func(ld []string) any { return s.spotEntity(l, sp, ld) })
			}
		}
	}
	return found
}

// entity answers as GET /ngsi-ld/v1/entities/{entityId} does.
func (s *Service) entity(_ http.ResponseWriter, r *request) (*document, error) {
	kind, ld, header, err := ldKind(r)
	if err != nil {
		return nil, err
	}
	p := rest.ParseParams(r.URL.RawQuery)
	choice(p, "options", "keyValues", "simplified")
	choice(p, "format", "keyValues", "simplified")
	if err := p.End(); err != nil {
		return nil, err
	}
	state, err := s.present.get(r.Context())
	if err != nil {
		return nil, err
	}
	id := r.PathValue("entityId") // percent encoding is undone once, by clients that encode it twice too
	model, its, ok := unURN(id)
	var found []func([]string) any
	if ok {
		found = s.find(r.lotsOf(state), entityQuery{types: []string{model}, ids: map[string]bool{urn(model, its): true}})
	}
	if len(found) == 0 {
		return nil, problem.New(http.StatusNotFound, "entity-not-found",
			fmt.Sprintf("There is no entity %q with a place. Ids are like %s.", rest.Shorten(id), urn(typeParkingSpot, "A-017")))
	}
	key := strings.Join([]string{"entity", kind, id, r.reach()}, "\n")
	return s.document(r.Context(), key, state.version, func(context.Context) (content, error) {
		body, err := json.Marshal(found[0](ld))
		return content{kind: kind, body: append(body, '\n'), header: header}, err
	})
}
