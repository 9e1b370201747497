package feeds

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/history"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// maxCurbEvents is how many transitions a page is made of; each is one event, or none.
const maxCurbEvents = 5000

// curbEventView is an event. Nothing is known of the vehicle, so nothing is said of it.
type curbEventView struct {
	ID              string            `json:"event_id"`
	Type            string            `json:"event_type"`
	Location        *pointView        `json:"event_location,omitempty"`
	Time            int64             `json:"event_time"`
	PublicationTime int64             `json:"event_publication_time"`
	SessionID       string            `json:"event_session_id,omitempty"`
	ZoneID          string            `json:"curb_zone_id,omitempty"`
	AreaIDs         []string          `json:"curb_area_ids"`
	SpaceID         string            `json:"curb_space_id"`
	SourceType      string            `json:"data_source_type"`
	DeviceID        string            `json:"data_source_device_id"`
	Custom          map[string]string `json:"custom_attributes"`
}

// curbEvents answers with the events of an hour of UTC, or of the last 60 minutes, newest first.
func (s *Service) curbEvents(_ http.ResponseWriter, r *request) (*document, error) {
	kind, state, l, err := s.curbAsked(r, kindCurbJSON)
	if err != nil {
		return nil, err
	}
	p := rest.ParseParams(r.URL.RawQuery)
	at := readCurbPlace(p, l)
	from, to, version := s.curbHour(p, state)
	offset := int(p.Number("offset", 0, 0, maxOffset))
	if err := p.End(); err != nil {
		return nil, err
	}
	return s.document(r.Context(), curbKey(r, kind), version, func(ctx context.Context) (content, error) {
		all := []curbEventView{}
		links := &curbLinks{First: with(r.URL, "offset", "0")}
		if at.nowhere {
			return curbAnswer(l, map[string]any{"events": all}, links)
		}
		var found []history.Transition
		err := s.options.DB.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
			found, err = history.Transitions(ctx, tx, history.TransitionQuery{
				LotID: l.ID, ZoneID: at.zoneID, SpotID: at.spotID, From: from, To: to, Offset: offset, Limit: maxCurbEvents + 1,
			})
			return err
		})
		if err != nil {
			return content{}, err
		}
		if len(found) > maxCurbEvents {
			found = found[:maxCurbEvents]
			links.Next = new(with(r.URL, "offset", strconv.Itoa(offset+maxCurbEvents)))
		}
		spots := map[string]spot{}
		for _, sp := range l.spots {
			spots[sp.SpotID] = sp
		}
		for _, t := range found {
			if v, ok := curbEventOf(l, spots[t.SpotID], t); ok {
				all = append(all, v)
			}
		}
		return curbAnswer(l, map[string]any{"events": all}, links)
	})
}

const curbHourLayout = "2006-01-02T15"

// curbHour returns the time that is asked for, and the version of an answer about it. The last 60 minutes are others in each second.
func (s *Service) curbHour(p *rest.Params, state *state) (from, to time.Time, version string) {
	if text, there := p.One("event_time"); there {
		from, err := time.Parse(curbHourLayout, text)
		if err != nil {
			p.Fail("event_time", "an hour of UTC as YYYY-MM-DDTHH, such as 2026-11-24T03", strconv.Quote(text))
		}
		return from, from.Add(time.Hour), state.version
	}
	now := s.options.Now().UTC().Truncate(time.Second)
	return now.Add(-time.Hour), now.Add(time.Second), state.version + "." + now.Format(time.RFC3339)
}

// curbEventOf makes an event of a transition; false where it is none that the specification knows, or one of which nobody saw whether it is one: what
// stood there when a silent sensor spoke again came some time before.
func curbEventOf(l *lot, described spot, t history.Transition) (curbEventView, bool) {
	v := curbEventView{
		Time: stamp(t.At), PublicationTime: stamp(t.At), AreaIDs: []string{curbID("lot", l.ID)}, SpaceID: curbID("spot", t.SpotID),
		SourceType: "other", DeviceID: curbID("device", t.SpotID), Custom: map[string]string{"lot_id": l.ID, "spot_id": t.SpotID},
	}
	switch {
	case t.From == "": // it was heard of for the first time
		return v, false
	case t.To == event.Unknown:
		v.Type = "comms_lost"
	case t.From == event.Unknown && t.To != event.Removed && t.To != history.Hole:
		v.Type = "comms_restored"
	case vacant(t.From) && t.To == event.Occupied:
		v.Type, v.SessionID = "park_start", sessionID(t.SpotID, t.At)
	case t.From == event.Occupied && vacant(t.To):
		v.Type, v.SessionID = "park_end", sessionID(t.SpotID, t.FromSince)
	default:
		return v, false
	}
	v.ID = curbEventID(v.Type, t.SpotID, t.At)
	if t.RecordedAt.After(t.At) {
		v.PublicationTime = stamp(t.RecordedAt)
	}
	if t.ZoneID != "" {
		v.ZoneID, v.Custom["zone_id"] = curbID("zone", t.ZoneID), t.ZoneID
	}
	if described.location != nil {
		v.Location = new(pointOf(described.location.Lat, described.location.Lon))
	}
	return v, true
}

// vacant reports whether nobody stands there, as somebody sees who looks.
func vacant(s event.Status) bool { return s == event.Free || s == event.Reserved }

func curbEventID(kind, spotID string, at time.Time) string {
	return curbID(kind, spotID, strconv.FormatInt(stamp(at), 10))
}

// sessionID ties the two ends of a stay together.
func sessionID(spotID string, began time.Time) string {
	return curbID("session", spotID, strconv.FormatInt(stamp(began), 10))
}
