package parking

import (
	"net/http"
	"strconv"

	"parkwire/internal/event"
	"parkwire/internal/rest"
)

// historyView is an entry as it is answered.
type historyView struct {
	Change         event.Change `json:"change"`
	Status         event.Status `json:"status"`
	PreviousStatus event.Status `json:"previousStatus,omitempty"`
	Version        int64        `json:"version,omitempty"`
	EventID        string       `json:"eventId,omitempty"`
	ObservedAt     event.Time   `json:"observedAt,omitzero"`
	RecordedAt     event.Time   `json:"recordedAt"`
	Source         Source       `json:"source"`
	By             string       `json:"by,omitempty"`
}

func viewEntry(e HistoryEntry) historyView {
	return historyView{
		Change: e.Change, Status: e.Status, PreviousStatus: e.PreviousStatus, Version: e.Version, EventID: e.EventID,
		ObservedAt: event.At(e.ObservedAt), RecordedAt: event.At(e.RecordedAt), Source: e.Source, By: e.By,
	}
}

// getHistory answers for removed spots too, for as long as there are entries; to who is limited to lots only while the spot is in one of them,
// since entries do not say in which it was.
func (s *Service) getHistory(_ http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	at := p.Page("history")
	var before int64 // from the newest on
	if at.After != "" {
		var err error
		if before, err = strconv.ParseInt(at.After, 10, 64); err != nil {
			p.FailCursor(at.After)
		}
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	id := r.PathValue("spotId")
	if by.Who.Lots != nil {
		if _, err := s.spot(r.Context(), by, id); err != nil {
			return rest.Answer{}, err
		}
	}
	entries, err := s.store.History(r.Context(), id, before, at.Limit+1)
	if err != nil {
		return rest.Answer{}, err
	}
	if len(entries) == 0 {
		if _, err := s.spot(r.Context(), by, id); err != nil {
			return rest.Answer{}, err
		}
	}
	key := func(e HistoryEntry) string { return strconv.FormatInt(e.ID, 10) }
	return rest.Answer{Status: http.StatusOK, Body: rest.Listed("history", at, entries, key, viewEntry)}, nil
}
