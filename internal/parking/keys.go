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

func keyAnswer(k access.Key) answer {
	v := viewKey(k)
	return answer{status: http.StatusOK, etag: digest(v), body: v}
}

// withSecret tells the secret in this answer, and not in the one that is kept for who repeats the request.
func (a answer) withSecret(k access.Key, secret string) answer {
	v := viewKey(k)
	v.Secret = secret
	a.once = v
	return a
}

func readAPIKey(o *object, k *access.Key, now time.Time) {
	required(o, "name", &k.Name, wantName, validName)
	required(o, "scopes", &k.Scopes, wantScopes, validScopes)
	optional(o, "lots", &k.Lots, wantLots, validLots)
	readTime(o, "expiresAt", &k.ExpiresAt, optional)
	if o.err == nil && !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(now) {
		o.err = invalidField("expiresAt", wantFuture, event.At(k.ExpiresAt).String())
	}
}

// saveKey says how the key is from now on. The transaction has the revision.
func (t *transaction) saveKey(ctx context.Context, by origin, revision int64, before any, k access.Key) error {
	keptUntil := k.Ended()
	if !keptUntil.IsZero() {
		keptUntil = keptUntil.Add(access.KeysKept)
	}
	if err := t.grant(ctx, access.Entry{Revision: revision, Key: &k}, keptUntil); err != nil {
		return err
	}
	return t.audit(by, resource{Type: access.KindKey, ID: k.ID}, before, viewKey(k))
}

func (s *Service) postKey(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	var key access.Key
	if err := readObject(w, r, func(o *object) { readAPIKey(o, &key, s.now()) }); err != nil {
		return answer{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return answer{}, err
	}
	text, secret := access.NewSecret()
	key.ID, key.CreatedBy, key.Secrets = id.String(), by.who.Subject, []access.Secret{secret}
	return s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (answer, error) {
		revision, err := t.NextAccessRevision(ctx)
		if err != nil {
			return answer{}, err
		}
		key.CreatedAt = t.now
		a := keyAnswer(key).withSecret(key, text)
		a.status, a.location = http.StatusCreated, "/api/v1/keys/"+url.PathEscape(key.ID)
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
		return access.Key{}, instead(err, ErrNotFound, keyNotFound(id))
	}
	before, key := viewKey(*e.Key), *e.Key
	if !ifMatch(r).holds(digest(before)) {
		return access.Key{}, changedMeanwhile("key", id)
	}
	changes, err := change(t, &key)
	if err == nil && changes {
		err = t.saveKey(ctx, by, revision, before, key)
	}
	return key, err
}

func (s *Service) getKeys(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	return s.listGrants(r, access.KindKey, "keys", func(e access.Entry) any { return viewKey(*e.Key) })
}

// listGrants answers a page of keys or revocations.
func (s *Service) listGrants(r *http.Request, kind, name string, view func(access.Entry) any) (answer, error) {
	p := parseParams(r.URL.RawQuery)
	at := p.page(name)
	if err := p.end(); err != nil {
		return answer{}, err
	}
	rows, err := s.store.AccessRows(r.Context(), kind, at.after, at.limit+1)
	if err != nil {
		return answer{}, err
	}
	all, err := entries(rows)
	if err != nil {
		return answer{}, err
	}
	key := func(e access.Entry) string { _, id := e.Name(); return id }
	return answer{status: http.StatusOK, body: listed(name, at, all, key, view)}, nil
}

func (s *Service) getKey(_ http.ResponseWriter, r *http.Request, _ origin) (answer, error) {
	if err := parseParams(r.URL.RawQuery).end(); err != nil {
		return answer{}, err
	}
	id := r.PathValue("keyId")
	e, err := entry(s.store.AccessRow(r.Context(), access.KindKey, id))
	if err != nil {
		return answer{}, instead(err, ErrNotFound, keyNotFound(id))
	}
	return keyAnswer(*e.Key), nil
}

// rotateKey gives a key another secret. The one before holds for some time yet, in which whoever uses it is told the new one.
func (s *Service) rotateKey(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	body, err := requestBody(w, r)
	if err != nil {
		return answer{}, err
	}
	grace := int64(defaultGrace / time.Second)
	if len(body) > 0 {
		if err := decodeObject(body, func(o *object) { optional(o, "graceSeconds", &grace, wantGrace, validGrace) }); err != nil {
			return answer{}, err
		}
	}
	text, secret := access.NewSecret()
	return s.answered(r.Context(), by, func(ctx context.Context, t *transaction) (answer, error) {
		key, err := t.changeKey(ctx, r, by, func(t *transaction, k *access.Key) (bool, error) {
			if ended := k.Ended(); !ended.IsZero() && !ended.After(t.now) {
				return false, keyEnded(k.ID)
			}
			k.RotatedAt, k.Secrets = t.now, withSecret(k.Secrets, secret, t.now, t.now.Add(time.Duration(grace)*time.Second))
			return true, nil
		})
		return keyAnswer(key).withSecret(key, text), err
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
func (s *Service) deleteKey(w http.ResponseWriter, r *http.Request, by origin) (answer, error) {
	if err := readNothing(w, r); err != nil {
		return answer{}, err
	}
	_, err := s.changeKey(r, by, func(t *transaction, k *access.Key) (bool, error) {
		if !k.RevokedAt.IsZero() {
			return false, nil
		}
		k.RevokedAt = t.now
		return true, nil
	})
	return answer{status: http.StatusNoContent}, err
}

func validScopes(scopes []string) bool {
	return len(scopes) > 0 && len(slices.Compact(slices.Sorted(slices.Values(scopes)))) == len(scopes) &&
		!slices.ContainsFunc(scopes, func(s string) bool { return !slices.Contains(identity.Scopes, s) })
}

func validLots(lots []string) bool {
	return len(lots) > 0 && len(lots) <= identity.MaxLots && identity.LotsLength(lots) <= identity.MaxLotsLength &&
		!slices.ContainsFunc(lots, func(id string) bool { return !validID(id) })
}

func validGrace(seconds int64) bool { return seconds >= 0 && seconds <= int64(maxGrace/time.Second) }
