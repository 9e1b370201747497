package feeds

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

// The Curb Data Specification 1.1 (Open Mobility Foundation), as far as it fits: events and metrics. A lot is a dataset of its own, since each has one
// time zone; it is one curb area, its zones are curb zones, its spots curb spaces. The Curbs API is not served: it wants the outline of
// every zone and the length of every space, and nobody told us these.

const (
	curbVersion  = "1.1.0"
	kindCurbJSON = "application/vnd.cds+json;version=1.1"
	kindCurbCSV  = "application/vnd.cds+csv;version=1.1"
	// noCurrency is ISO 4217's code for where none is meant: nothing here has a price.
	noCurrency = "XXX"
)

// curbSpace is the namespace of the ids: the specification wants UUIDs, which are made of ours (RFC 9562, version 5). docs/feeds.md says how.
var curbSpace = uuid.NewSHA1(uuid.NameSpaceURL, []byte("urn:parkwire"))

// curbID is the UUID of something: "lot", "zone", "spot", "device", and what else there is to name.
func curbID(kind string, parts ...string) string {
	return uuid.NewSHA1(curbSpace, []byte(kind+"/"+strings.Join(parts, "/"))).String()
}

// curbView is what every answer in JSON has around it.
type curbView struct {
	Version     string     `json:"version"`
	TimeZone    string     `json:"time_zone"`
	LastUpdated int64      `json:"last_updated"`
	Currency    string     `json:"currency"`
	Data        any        `json:"data"`
	Links       *curbLinks `json:"links,omitempty"`
}

// curbLinks are the pages beside this one; next is null on the last.
type curbLinks struct {
	First string  `json:"first"`
	Next  *string `json:"next"`
}

// curbAnswer puts data into what is around it.
func curbAnswer(l *lot, data any, links *curbLinks) (content, error) {
	v := curbView{Version: curbVersion, TimeZone: l.Clock().String(), Currency: noCurrency, Data: data, Links: links}
	if !l.changed.IsZero() {
		v.LastUpdated = l.changed.UnixMilli()
	}
	body, err := json.Marshal(v)
	return content{kind: kindCurbJSON, body: append(body, '\n')}, err
}

// curbError adds the members that the specification wants in an answer that refuses.
func curbError(p problem.Problem) problem.Problem {
	return p.With("error", strings.TrimPrefix(p.Type, "urn:parkwire:problem:")).With("error_description", p.Detail)
}

// curbKind returns the kind, where the client takes it: the specification wants 406 for others.
func curbKind(r *request, kind string) (string, error) {
	if accepts(r, kind) == "" {
		return "", notAcceptable(kind)
	}
	return kind, nil
}

// curbPlace is where something is asked for.
type curbPlace struct {
	zoneID, spotID string
	nowhere        bool // nothing of the lot is there
}

// readCurbPlace reads the parameters by which events and statuses are narrowed. Ids of other places are no error: nothing happened there.
func readCurbPlace(p *rest.Params, l *lot) (at curbPlace) {
	if area, there := curbUUID(p, "curb_area_id"); there {
		at.nowhere = area != curbID("lot", l.ID)
	}
	if id, there := curbUUID(p, "curb_zone_id"); there {
		zone, ok := l.zoneOfCurb(id)
		at.zoneID, at.nowhere = zone, at.nowhere || !ok
	}
	if id, there := curbUUID(p, "curb_space_id"); there {
		spot, ok := l.spotOfCurb(id)
		at.spotID, at.nowhere = spot, at.nowhere || !ok
	}
	if _, there := curbUUID(p, "curb_object_id"); there {
		at.nowhere = true // there are no objects
	}
	return at
}

func curbUUID(p *rest.Params, name string) (string, bool) {
	text, there := p.One(name)
	if !there {
		return "", false
	}
	id, err := uuid.Parse(text)
	if err != nil {
		p.Fail(name, "a UUID", strconv.Quote(text))
	}
	return id.String(), true
}

func (l *lot) zoneOfCurb(id string) (string, bool) {
	for _, z := range l.zones {
		if curbID("zone", z.ID) == id {
			return z.ID, true
		}
	}
	return "", false
}

func (l *lot) spotOfCurb(id string) (string, bool) {
	for _, s := range l.spots {
		if curbID("spot", s.SpotID) == id {
			return s.SpotID, true
		}
	}
	return "", false
}

// curbStatusView is what is known of what observes a spot.
type curbStatusView struct {
	DeviceID     string `json:"data_source_device_id"`
	Type         string `json:"data_source_type"`
	Commissioned *bool  `json:"sensor_status_is_commissioned,omitempty"`
	Online       *bool  `json:"sensor_status_is_online,omitempty"`
}

// curbStatus answers which spots are observed at present. Of one that is closed that is not known, and it is left out.
func (s *Service) curbStatus(_ http.ResponseWriter, r *request) (*document, error) {
	kind, state, l, err := s.curbAsked(r, kindCurbJSON)
	if err != nil {
		return nil, err
	}
	p := rest.ParseParams(r.URL.RawQuery)
	at := readCurbPlace(p, l)
	if err := p.End(); err != nil {
		return nil, err
	}
	return s.document(r.Context(), curbKey(r, kind), state.version, func(context.Context) (content, error) {
		all := []curbStatusView{}
		for _, sp := range l.spots {
			if at.nowhere || at.zoneID != "" && sp.ZoneID != at.zoneID || at.spotID != "" && sp.SpotID != at.spotID {
				continue
			}
			v := curbStatusView{DeviceID: curbID("device", sp.SpotID), Type: "other"}
			switch sp.Status {
			case event.OutOfService:
				v.Commissioned = new(false)
			case event.Free, event.Occupied, event.Reserved:
				v.Online = new(true)
			case event.Unknown:
				v.Online = new(false)
			}
			all = append(all, v)
		}
		return curbAnswer(l, map[string]any{"status": all}, nil)
	})
}

// curbAsked returns the media type in which the client is answered, what is at present, and the lot that the path names.
func (s *Service) curbAsked(r *request, format string) (kind string, present *state, l *lot, err error) {
	if kind, err = curbKind(r, format); err != nil {
		return "", nil, nil, err
	}
	if present, err = s.present.get(r.Context()); err != nil {
		return "", nil, nil, err
	}
	l, err = present.lot(r.PathValue("lotId"))
	return kind, present, l, err
}

// curbKey is the key of a document that depends on the address alone.
func curbKey(r *request, kind string) string {
	return strings.Join([]string{"cds", kind, r.URL.Path, canonical(r.URL)}, "\n")
}

// canonical is a query in one order.
func canonical(u *url.URL) string { return u.Query().Encode() }

func stamp(t time.Time) int64 { return t.UnixMilli() }
