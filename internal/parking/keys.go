package parking

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/identity/access"
	"parkwire/internal/rest"
)

const (
	maxSecrets   = 4 // of a key, the older of which hold for some time yet
	defaultGrace = 24 * time.Hour
	maxGrace     = 30 * 24 * time.Hour
)

// keyView is a key as it is answered.
type keyView struct {
	ID        string     `json:"id"`
	Name      string     `json:"name"`
	Scopes    []string   `json:"scopes"`
	Lots      []string   `json:"lots,omitzero"`
	CreatedAt event.Time `json:"createdAt"`
	CreatedBy string     `json:"createdBy"`
	ExpiresAt event.Time `json:"expiresAt,omitzero"`
	RotatedAt event.Time `json:"rotatedAt,omitzero"`
	// PreviousUntil is until when the secret before the present one is taken.
	PreviousUntil event.Time `json:"previousUntil,omitzero"`
	RevokedAt     event.Time `json:"revokedAt,omitzero"`
	// Secret is told once, to who had it made.
	Secret string `json:"secret,omitempty"`
}

func viewKey(k access.Key) keyView {
	v := keyView{
		ID: k.ID, Name: k.Name, Scopes: k.Scopes, Lots: k.Lots, CreatedAt: event.At(k.CreatedAt), CreatedBy: k.CreatedBy,
		ExpiresAt: event.At(k.ExpiresAt), RotatedAt: event.At(k.RotatedAt), RevokedAt: event.At(k.RevokedAt),
	}
	if len(k.Secrets) > 1 {
		v.PreviousUntil = event.At(k.Secrets[1].Until)
	}
	return v
}

func keyAnswer(k access.Key) rest.Answer {
	v := viewKey(k)
	return rest.Answer{Status: http.StatusOK, ETag: rest.Digest(v), Body: v}
}

// tellSecret tells the secret in this answer, and not in the one that is kept for who repeats the request.
func tellSecret(k access.Key, secret string) rest.Answer {
	a, v := keyAnswer(k), viewKey(k)
	v.Secret = secret
	a.Once = v
	return a
}

func readAPIKey(o *rest.Object, k *access.Key, now time.Time) {
	rest.Required(o, "name", &k.Name, rest.WantName, rest.ValidName)
	rest.Required(o, "scopes", &k.Scopes, wantScopes, validScopes)
	rest.Optional(o, "lots", &k.Lots, wantLots, validLots)
	rest.ReadTime(o, "expiresAt", &k.ExpiresAt, rest.Optional)
	if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		o.Fail("expiresAt", rest.WantFuture, event.At(k.ExpiresAt).String())
	}
}

// saveKey says how the key is from now on. The transaction has the revision.
func (t *transaction) saveKey(ctx context.Context, by origin, revision int64, before any, k access.Key) error {
	e := access.Entry{Revision: revision, Key: &k}
	if err := t.grant(ctx, e, e.KeptUntil()); err != nil {
		return err
	}
	return t.audit(by, resource{Type: access.KindKey, ID: k.ID}, before, viewKey(k))
}

func (s *Service) postKey(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	var key access.Key
	if err := rest.ReadObject(w, r, func(o *rest.Object) { readAPIKey(o, &key, s.now()) }); err != nil {
		return rest.Answer{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return rest.Answer{}, err
	}
	text, secret := access.NewSecret()
	key.ID, key.CreatedBy, key.Secrets = id.String(), by.Who.Subject, []access.Secret{secret}
	return s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		revision, err := t.NextAccessRevision(ctx)
		if err != nil {
			return rest.Answer{}, err
		}
		key.CreatedAt = t.now
		a := tellSecret(key, text)
		a.Status, a.Location = http.StatusCreated, "/api/v1/keys/"+url.PathEscape(key.ID)
		return a, t.saveKey(ctx, by, revision, nil, key)
	})
}

// changeKey lets change alter a key, which must keep its id. Where it returns false nothing is to be changed.
func (s *Service) changeKey(r *http.Request, by origin, change func(t *transaction, k *access.Key) (bool, error)) (access.Key, error) {
	var key access.Key
	err := s.update(r.Context(), func(ctx context.Context, t *transaction) (err error) {
		key, err = t.changeKey(ctx, r, by, change)
		return err
	})
	return key, err
}

func (t *transaction) changeKey(ctx context.Context, r *http.Request, by origin, change func(t *transaction, k *access.Key) (bool, error)) (access.Key, error) {
	revision, err := t.NextAccessRevision(ctx) // before it is read, so that nobody else changes it
	if err != nil {
		return access.Key{}, err
	}
	id := r.PathValue("keyId")
	e, err := entry(t.AccessRow(ctx, access.KindKey, id))
	if err != nil {
		return access.Key{}, rest.Instead(err, ErrNotFound, keyNotFound(id))
	}
	before, key := viewKey(*e.Key), *e.Key
	if !rest.IfMatch(r).Holds(rest.Digest(before)) {
		return access.Key{}, rest.ChangedMeanwhile("key", id)
	}
	changes, err := change(t, &key)
	if err == nil && changes {
		err = t.saveKey(ctx, by, revision, before, key)
	}
	return key, err
}

func (s *Service) getKeys(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	return s.listGrants(r, access.KindKey, "keys", func(e access.Entry) any { return viewKey(*e.Key) })
}

// listGrants answers a page of keys or revocations.
func (s *Service) listGrants(r *http.Request, kind, name string, view func(access.Entry) any) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	at := p.Page(name)
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	rows, err := s.store.AccessRows(r.Context(), kind, at.After, at.Limit+1)
	if err != nil {
		return rest.Answer{}, err
	}
	all, err := entries(rows)
	if err != nil {
		return rest.Answer{}, err
	}
	key := func(e access.Entry) string { _, id := e.Name(); return id }
	return rest.Answer{Status: http.StatusOK, Body: rest.Listed(name, at, all, key, view)}, nil
}

func (s *Service) getKey(_ http.ResponseWriter, r *http.Request, _ origin) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	id := r.PathValue("keyId")
	e, err := entry(s.store.AccessRow(r.Context(), access.KindKey, id))
	if err != nil {
		return rest.Answer{}, rest.Instead(err, ErrNotFound, keyNotFound(id))
	}
	return keyAnswer(*e.Key), nil
}

// rotateKey gives a key another secret. The one before holds for some time yet, in which whoever uses it is told the new one.
func (s *Service) rotateKey(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	grace := int64(defaultGrace / time.Second)
	if len(body) > 0 {
		if err := rest.DecodeObject(body, func(o *rest.Object) { rest.Optional(o, "graceSeconds", &grace, wantGrace, validGrace) }); err != nil {
			return rest.Answer{}, err
		}
	}
	text, secret := access.NewSecret()
	return s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (rest.Answer, error) {
		key, err := t.changeKey(ctx, r, by, func(t *transaction, k *access.Key) (bool, error) {
			if ended := k.Ended(); !ended.IsZero() && !ended.After(t.now) {
				return false, keyEnded(k.ID)
			}
			k.RotatedAt, k.Secrets = t.now, withSecret(k.Secrets, secret, t.now, t.now.Add(time.Duration(grace)*time.Second))
			return true, nil
		})
		return tellSecret(key, text), err
	})
}

// withSecret returns the secrets of a key with a new one, and the newest until now until a time. What does not hold any more is left out.
func withSecret(secrets []access.Secret, secret access.Secret, now, until time.Time) []access.Secret {
	older := slices.Clone(secrets)
	for i := range older {
		if older[i].Until.IsZero() || older[i].Until.After(until) {
			older[i].Until = until
		}
	}
	older = slices.DeleteFunc(older, func(s access.Secret) bool { return !s.Until.After(now) })
	return append([]access.Secret{secret}, older[:min(len(older), maxSecrets-1)]...)
}

// deleteKey revokes a key. It is still told of for some time.
func (s *Service) deleteKey(w http.ResponseWriter, r *http.Request, by origin) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	_, err := s.changeKey(r, by, func(t *transaction, k *access.Key) (bool, error) {
		if !k.RevokedAt.IsZero() {
			return false, nil
		}
		k.RevokedAt = t.now
		return true, nil
	})
	return rest.Answer{Status: http.StatusNoContent}, err
}

func validScopes(scopes []string) bool {
	return len(scopes) > 0 && len(slices.Compact(slices.Sorted(slices.Values(scopes)))) == len(scopes) &&
		!slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(identity.Scopes, s) })
}

func validLots(lots []string) bool {
	return len(lots) > 0 && len(lots) <= identity.MaxLots && identity.LotsLength(lots) <= identity.MaxLotsLength &&
		!slices.ContainsFunc(lots, func(id string) bool { return !rest.ValidID(id) })
}

func validGrace(seconds int64) bool { return seconds >= 0 && seconds <= int64(maxGrace/time.Second) }
