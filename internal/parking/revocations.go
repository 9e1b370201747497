package parking

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/rest"
)

const (
	// longestToken is for how long a revocation is kept where it is not said when the tokens expire. Nobody should issue tokens for longer.
	longestToken = 400 * 24 * time.Hour
	// expiryMargin is how much longer than that it is kept, for clocks that differ.
	expiryMargin = time.Hour
)

// revocationView is a revocation as it is answered.
type revocationView struct {
	ID        string     `json:"id"`
	TokenID   string     `json:"tokenId,omitempty"`
	Subject   string     `json:"subject,omitempty"`
	RevokedAt event.Time `json:"revokedAt"`
	RevokedBy string     `json:"revokedBy"`
	KeptUntil event.Time `json:"keptUntil"`
}

func viewRevocation(r access.Revocation) revocationView {
	return revocationView{
		ID: r.ID, TokenID: r.TokenID, Subject: r.Subject, RevokedAt: event.At(r.At), RevokedBy: r.By, KeptUntil: event.At(r.KeptUntil),
	}
}

// postRevocation revokes a token by its id, or all that a subject has been issued.
func (s *Service) postRevocation(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	var made access.Revocation
	var expires time.Time
	err := rest.ReadObject(w, r, func(o *rest.Object) {
		rest.Optional(o, "tokenId", &made.TokenID, wantTokenID, validTokenID)
		rest.Optional(o, "subject", &made.Subject, wantSubject, validSubject)
		rest.ReadTime(o, "expiresAt", &expires, rest.Optional)
		switch {
		case o.Err() != nil:
		case (made.TokenID == "") == (made.Subject == ""):
			o.Refuse(rest.InvalidBody(`One of "tokenId" and "subject" says what is revoked.`))
		case !expires.IsZero() && !expires.After(s.now()):
			o.Fail("expiresAt", rest.WantFuture, event.At(expires).String())
		}
	})
	if err != nil {
		return rest.Answer{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return rest.Answer{}, err
	}
	made.ID, made.By = id.String(), by.Who.Subject
	return s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		revision, err := t.NextAccessRevision(ctx)
		if err != nil {
			return rest.Answer{}, err
		}
		made.At, made.KeptUntil = t.now, t.now.Add(longestToken)
		if !expires.IsZero() {
			made.KeptUntil = expires.Add(expiryMargin)
		}
		if err := t.grant(ctx, access.Entry{Revision: revision, Revocation: &made}, made.KeptUntil); err != nil {
			return rest.Answer{}, err
		}
		v := viewRevocation(made)
		a := rest.Answer{Status: http.StatusCreated, Location: "/api/v1/revocations/" + url.PathEscape(made.ID), Body: v}
		return a, t.audit(by, resource{Type: access.KindRevocation, ID: made.ID}, nil, v)
	})
}

func (s *Service) getRevocations(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	return s.listGrants(r, access.KindRevocation, "revocations", func(e access.Entry) any { return viewRevocation(*e.Revocation) })
}

func (s *Service) getRevocation(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	id := r.PathValue("revocationId")
	e, err := entry(s.store.AccessRow(r.Context(), access.KindRevocation, id))
	if err != nil {
		return rest.Answer{}, rest.Instead(err, ErrNotFound, revocationNotFound(id))
	}
	return rest.Answer{Status: http.StatusOK, Body: viewRevocation(*e.Revocation)}, nil
}

func validTokenID(id string) bool { return id != "" && identity.CheckNames("x", id) == nil }

// validSubject refuses keys, which are revoked by themselves.
func validSubject(subject string) bool {
	return identity.ValidSubject(subject) && !strings.HasPrefix(subject, identity.PrefixKey)
}
