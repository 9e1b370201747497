package parking

import (
	"net/http"
	"strconv"

	"parkwire/internal/event"
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
func (s *Service) getHistory(_ http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	p := parseParams(r.URL.RawQuery)
	at := p.page("history")
	var before int64 // from the newest on
	if at.after != "" {
		var err error
		if before, err = strconv.ParseInt(at.after, 10, 64); err != nil {
			p.fail("cursor", `what the page before gave as "next"`, strconv.Quote(at.after))
		}
	}
	if err := p.end(); err != nil {
		return answer{}, err
	}
	id := r.PathValue("spotId")
	if by.who.Lots != nil {
		if _, err := s.spot(r.Context(), by, id); err != nil {
			return answer{}, err
		}
	}
	entries, err := s.store.History(r.Context(), id, before, at.limit+1)
	if err != nil {
		return answer{}, err
	}
	if len(entries) == 0 {
		if _, err := s.spot(r.Context(), by, id); err != nil {
			return answer{}, err
		}
	}
	key := func(e HistoryEntry) string { return strconv.FormatInt(e.ID, 10) }
	return answer{status: http.StatusOK, body: listed("history", at, entries, key, viewEntry)}, nil
}
