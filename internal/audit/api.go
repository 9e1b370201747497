package audit

import (
	"context"
	"crypto/ed25519"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/problem"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// routes are all resources. All of them are for administrators whose token is for all lots.
func (s *Service) routes() rest.Routes {
	return rest.Routes{
		"/audit":            {"GET": {Scope: identity.ScopeAdmin, Serve: s.getRecords}},
		"/audit/head":       {"GET": {Scope: identity.ScopeAdmin, Serve: s.getHead}},
		"/audit/{sequence}": {"GET": {Scope: identity.ScopeAdmin, Serve: s.getRecord}},
	}
}

// Handler serves everything under /api/v1/audit. It trusts the headers of the gateway, see [rest.Handler].
func (s *Service) Handler() http.Handler {
	return rest.Handler(s.routes(), rest.Options{Unavailable: sqldb.ErrUnavailable, Logger: s.logger, Tracer: s.tracer})
}

// An exportFormat is a way to write records down.
type exportFormat struct {
	kind, file string
	writer     func(io.Writer) writer
}

const (
	formatJSON   = "json"
	formatNDJSON = "ndjson"
	formatCSV    = "csv"
)

var exportFormats = map[string]exportFormat{
	formatNDJSON: {"application/x-ndjson", "audit.ndjson", newLines},
	formatCSV:    {"text/csv; charset=utf-8; header=present", "audit.csv", newTable},
}

var offers = []rest.Offer{
	{Name: formatJSON, Kinds: []string{"application/json", "application/*", "*/*"}},
	{Name: formatNDJSON, Kinds: []string{"application/x-ndjson", "application/ndjson", "application/jsonl"}},
	{Name: formatCSV, Kinds: []string{"text/csv", "text/*"}},
}

func (s *Service) getRecords(_ http.ResponseWriter, r *http.Request, _ rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	format := p.Format(r, offers...)
	q := readQuery(p, format != formatJSON)
	var at rest.Page
	if format == formatJSON { // a file has no pages
		at = p.Page("audit-" + string(q.Order))
		if at.After != "" {
			var ok bool
			if q.After, ok = parsePosition(at.After); !ok {
				p.FailCursor(at.After)
			}
		}
	}
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	q.Limit = at.Limit + 1
	if format != formatJSON {
		q.Limit = exportedAtOnce
	}
	found, err := s.find(r.Context(), q) // before anything is answered
	if err != nil {
		return rest.Answer{}, err
	}
	if format == formatJSON {
		return rest.Answer{Body: rest.Listed("audit-"+string(q.Order), at, found, func(e Entry) string { return e.position().String() }, detailed)}, nil
	}
	f := exportFormats[format]
	return rest.Answer{Kind: f.kind, File: f.file, Stream: func(w io.Writer) error {
		return export(r.Context(), s.db, q, f.writer(w), found)
	}}, nil
}

func (s *Service) find(ctx context.Context, q Query) (found []Entry, err error) {
	err = s.db.View(ctx, func(ctx context.Context, tx *sqldb.Tx) (err error) {
		found, err = find(ctx, tx, q)
		return err
	})
	return found, err
}

// readQuery reads what is searched for. Files are the oldest first, where nothing else is wanted, pages the newest.
func readQuery(p *rest.Params, file bool) Query {
	q := Query{
		Spot: text(p, "spot"), Lot: text(p, "lot"), Subject: text(p, "subject"), Client: text(p, "client"), RequestID: text(p, "request"), ID: text(p, "id"),
		Kind: word(p, "kind", Kinds), ResourceType: text(p, "resource"), ResourceID: text(p, "resource_id"), Action: text(p, "action"),
		Repetitions: p.Flag("repetitions"),
	}
	if from := p.Time("from"); !from.IsZero() {
		q.From = from.UnixMilli()
	}
	if to := p.Time("to"); !to.IsZero() {
		q.To = to.UnixMilli()
		if q.From != 0 && q.To <= q.From {
			p.Fail("to", `later than "from"`, strconv.Quote(event.At(to).String()))
		}
	}
	q.After.Sequence = p.Number("after_sequence", 0, 0, 1<<53)
	q.UpTo = p.Number("up_to_sequence", 0, 1, 1<<53)
	fallback := Newest
	if q.After.Sequence > 0 || q.UpTo > 0 {
		fallback, q.Repetitions = BySequence, true
	} else if file {
		fallback = Oldest
	}
	q.Order = word(p, "order", []Order{Newest, Oldest, BySequence})
	if q.Order == "" {
		q.Order = fallback
	}
	if q.Order != BySequence && q.After.Sequence > 0 {
		p.Fail("after_sequence", "used with order=sequence", "used with order="+string(q.Order))
	}
	if q.Order == BySequence {
		q.Repetitions = true // the sequence has no holes
		if filtered := q.filters(); len(filtered) > 0 {
			p.Fail("order", "newest or oldest where records are searched for by "+strings.Join(filtered, ", "), `"sequence"`)
		}
	}
	return q
}

// filters are the parameters that choose records by what they say.
func (q *Query) filters() (names []string) {
	for _, f := range []struct{ name, value string }{
		{"spot", q.Spot}, {"lot", q.Lot}, {"subject", q.Subject}, {"client", q.Client}, {"request", q.RequestID}, {"id", q.ID}, {"kind", string(q.Kind)},
		{"resource", q.ResourceType}, {"resource_id", q.ResourceID}, {"action", q.Action},
	} {
		if f.value != "" {
			names = append(names, f.name)
		}
	}
	if q.From != 0 {
		names = append(names, "from")
	}
	if q.To != 0 {
		names = append(names, "to")
	}
	return names
}

// text reads a parameter that is compared with what records say, whatever that is.
func text(p *rest.Params, name string) string {
	value, there := p.One(name)
	if there && (value == "" || len(value) > maxText) {
		p.Fail(name, fmt.Sprintf("a text of 1 to %d bytes", maxText), strconv.Quote(value))
	}
	return value
}

// word reads a parameter that is one of several words; "" where it is not there.
func word[W ~string](p *rest.Params, name string, among []W) W {
	value, there := p.One(name)
	if there && !slices.Contains(among, W(value)) {
		words := make([]string, len(among))
		for i, w := range among {
			words[i] = string(w)
		}
		p.Fail(name, "one of "+strings.Join(words, ", "), strconv.Quote(value))
	}
	return W(value)
}

func (s *Service) getRecord(_ http.ResponseWriter, r *http.Request, _ rest.Caller) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	text := r.PathValue("sequence")
	sequence, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return rest.Answer{}, recordNotFound(fmt.Sprintf("Records have numbers, and %q is none.", cut(text, 80)))
	}
	var answer rest.Answer
	err = s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		e, found, err := one(ctx, tx, sequence)
		if err != nil {
			return err
		}
		if !found {
			c, found, err := checkpointOf(ctx, tx, sequence)
			switch {
			case err != nil:
				return err
			case found:
				return recordNotFound(fmt.Sprintf("The record %d was removed because it was old; checkpoint %d stands for it.", sequence, c.Number))
			}
			return recordNotFound(fmt.Sprintf("There is no record %d.", sequence))
		}
		answer = rest.Answer{Body: detailed(e)}
		return nil
	})
	return answer, err
}

func recordNotFound(detail string) problem.Problem {
	return problem.New(http.StatusNotFound, "audit-record-not-found", detail)
}

// headView is the head as it is answered.
type headView struct {
	Chain      string          `json:"chain"`
	CreatedAt  event.Time      `json:"createdAt"`
	Sequence   int64           `json:"sequence"`
	Hash       Hash            `json:"hash"`
	Note       string          `json:"note"` // what `parkwire audit verify --head` takes
	RecordedAt event.Time      `json:"recordedAt"`
	Checkpoint *checkpointView `json:"checkpoint,omitempty"` // the last
	Signature  *signatureView  `json:"signature,omitempty"`
}

type signatureView struct {
	SignedAt  event.Time `json:"signedAt"`
	KeyID     string     `json:"keyId"`
	Signature string     `json:"signature"` // base64
	PublicKey string     `json:"publicKey"` // PEM
}

func (s *Service) getHead(_ http.ResponseWriter, r *http.Request, _ rest.Caller) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	var v headView
	err := s.db.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		h, found, err := findHead(ctx, tx)
		if err != nil {
			return err
		}
		if !found {
			return problem.New(http.StatusServiceUnavailable, "unavailable", "The audit chain has not begun yet. Try again in a moment.")
		}
		v = headView{
			Chain: h.Chain, CreatedAt: event.At(timeOf(h.CreatedAt)), Sequence: h.Sequence, Hash: h.Hash, Note: h.String(), RecordedAt: event.At(timeOf(h.RecordedAt)),
		}
		last, found, err := lastCheckpoint(ctx, tx)
		if err != nil {
			return err
		}
		if found {
			v.Checkpoint = new(viewCheckpoint(last))
		}
		if s.key == nil {
			return nil
		}
		v.Signature, err = viewSignature(s.key, sign(s.key, h, s.now().UnixMilli()))
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return rest.Answer{Body: v, Cache: "no-store"}, nil
}

func viewSignature(key ed25519.PrivateKey, g signature) (*signatureView, error) {
	public, err := publicPEM(key.Public().(ed25519.PublicKey))
	if err != nil {
		return nil, err
	}
	return &signatureView{event.At(timeOf(g.SignedAt)), g.KeyID, base64.StdEncoding.EncodeToString(g.Signature), public}, nil
}
