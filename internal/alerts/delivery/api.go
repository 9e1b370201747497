package delivery

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/event"
	"parkwire/internal/identity"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
)

// Routes are those of channels and deliveries. Everybody sees and changes what is theirs alone.
func (s *Service) Routes() rest.Routes {
	const read = identity.ScopeRead
	return rest.Routes{
		"/alerts/channels":                     {"GET": {Scope: read, Serve: s.getChannels}, "POST": {Scope: read, Serve: s.postChannel}},
		"/alerts/channels/{channelId}":         {"GET": {Scope: read, Serve: s.getChannel}, "PATCH": {Scope: read, Serve: s.patchChannel}, "DELETE": {Scope: read, Serve: s.deleteChannel}},
		"/alerts/channels/{channelId}/test":    {"POST": {Scope: read, Serve: s.testChannel}},
		"/alerts/channels/{channelId}/rotate":  {"POST": {Scope: read, Serve: s.rotateSecret}},
		"/alerts/channels/{channelId}/confirm": {"POST": {Scope: read, Serve: s.confirmMailbox}},
		"/alerts/push-key":                     {"GET": {Scope: read, Serve: s.getPushKey}},
		"/alerts/deliveries":                   {"GET": {Scope: read, Serve: s.getDeliveries}},
	}
}

// Handler serves [Service.Routes].
func (s *Service) Handler() http.Handler {
	return rest.Handler(s.Routes(), rest.Options{Unavailable: sqldb.ErrUnavailable, Logger: s.logger})
}

func channelAnswer(c channel) rest.Answer {
	v := c.view()
	return rest.Answer{ETag: rest.Digest(tagged(c)), Body: v}
}

// tagged is what of a channel an ETag stands for: what its subject may change, not how it does.
func tagged(c channel) channelView {
	v := c.view()
	v.DeliveredAt, v.FailingSince = event.Time{}, event.Time{}
	return v
}

func withSecret(c channel, secret string) rest.Answer {
	a := channelAnswer(c)
	v := c.view()
	v.Secret = secret
	a.Once = v
	return a
}

func (s *Service) getChannels(_ http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	p := rest.ParseParams(r.URL.RawQuery)
	at := p.Page("channels")
	if err := p.End(); err != nil {
		return rest.Answer{}, err
	}
	var all []channel
	err := s.options.DB.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		all, err = sqldb.All(ctx, tx, func(r sqldb.Row) (channel, error) { return scanChannel(r) },
			"select "+channelColumns("c")+" from alert_channels c where c.subject = ? and c.channel_id > ? order by c.channel_id limit ?", by.Who.Subject, at.After, at.Limit+1)
		return err
	})
	if err != nil {
		return rest.Answer{}, fmt.Errorf("reading channels: %w", err)
	}
	return rest.Answer{Body: rest.Listed("channels", at, all, func(c channel) string { return c.ID }, channel.view)}, nil
}

func (s *Service) getChannel(_ http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	var c channel
	err := s.options.DB.View(r.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		c, err = channelOf(ctx, tx, by.Who.Subject, r.PathValue("channelId"))
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return channelAnswer(c), nil
}

// change lets do alter a channel of the caller's, in a transaction that tells who did. do may be called several times.
func (s *Service) change(r *http.Request, by rest.Caller, do func(ctx context.Context, tx *sqldb.Tx, c *channel) error) (channel, error) {
	var c channel
	err := s.options.DB.Update(r.Context(), func(ctx context.Context, tx *sqldb.Tx) (err error) {
		if c, err = channelOf(ctx, tx, by.Who.Subject, r.PathValue("channelId")); err != nil {
			return err
		}
		if !rest.IfMatch(r).Holds(rest.Digest(tagged(c))) {
			return rest.ChangedMeanwhile("channel", c.ID)
		}
		before := c.audited()
		if err := do(ctx, tx, &c); err != nil {
			return err
		}
		c.UpdatedAt = s.now()
		if err := c.save(ctx, tx); err != nil {
			return err
		}
		return s.options.Audit(ctx, tx, r, by.Who, auditKind, c.ID, before, c.audited())
	})
	if err == nil {
		s.options.Audited()
	}
	return c, err
}

// auditKind is what a channel is called where changes are told.
const auditKind = "alertChannel"

func (s *Service) patchChannel(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	body, err := rest.RequestBody(w, r)
	if err != nil {
		return rest.Answer{}, err
	}
	c, err := s.change(r, by, func(_ context.Context, _ *sqldb.Tx, c *channel) error {
		state := c.State
		err := rest.Patch(body, func(o *rest.Object) {
			rest.Required(o, "name", &c.Name, rest.WantName, rest.ValidName)
			if c.Kind == KindWebhook {
				s.readURL(o, c)
			}
			rest.Required(o, "state", &state, wantState, func(text string) bool { return text == stateActive || text == statePaused || text == c.State })
		})
		if err != nil || state == c.State {
			return err
		}
		switch c.State {
		case stateUnconfirmed:
			return channelUnconfirmed()
		case stateEnded:
			return channelEnded()
		}
		c.State, c.Reason, c.FailingSince = state, "", time.Time{}
		return nil
	})
	if err != nil {
		return rest.Answer{}, err
	}
	if c.State == stateActive { // whoever mended it need not wait
		s.circuits.forget(lane{channel: c.ID, host: c.Host}.keys()[2])
		s.Wake()
	}
	return channelAnswer(c), nil
}

const wantState = `"active" or "paused"`

func (s *Service) deleteChannel(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	err := s.options.DB.Update(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		c, err := channelOf(ctx, tx, by.Who.Subject, r.PathValue("channelId"))
		if err != nil {
			return err
		}
		if !rest.IfMatch(r).Holds(rest.Digest(tagged(c))) {
			return rest.ChangedMeanwhile("channel", c.ID)
		}
		if _, err := tx.Exec(ctx, "delete from alert_channels where channel_id = ?", c.ID); err != nil {
			return fmt.Errorf("deleting a channel: %w", err)
		}
		if err := die(ctx, tx, s.now(), "the channel was deleted", "channel_id = ?", c.ID); err != nil {
			return err
		}
		return s.options.Audit(ctx, tx, r, by.Who, auditKind, c.ID, c.audited(), nil)
	})
	if err != nil {
		return rest.Answer{}, err
	}
	s.options.Audited()
	return rest.Answer{Status: http.StatusNoContent}, nil
}

// testChannel sends something to a channel, so that its subject sees whether it works.
func (s *Service) testChannel(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	decision, err := uuid.NewV7()
	if err != nil {
		return rest.Answer{}, err
	}
	var id string
	err = s.options.DB.Update(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		c, err := channelOf(ctx, tx, by.Who.Subject, r.PathValue("channelId"))
		switch {
		case err != nil:
			return err
		case c.State == stateUnconfirmed:
			return channelUnconfirmed()
		case c.State == stateEnded:
			return channelEnded()
		case c.State != stateActive:
			return channelNotActive(c.State)
		}
		waiting, _, err := sqldb.One(ctx, tx, scanNumber, `select count(*) from alert_deliveries where channel_id = ? and state = 'waiting' and type = ?`, c.ID, TypeTest)
		if err != nil {
			return fmt.Errorf("looking for tests that wait: %w", err)
		}
		if waiting > 0 {
			return testWaits()
		}
		id, err = s.enqueueFor(ctx, tx, c, TypeTest, decision.String(), "This is a test of the channel “"+c.Name+"”.", nil)
		return err
	})
	if err != nil {
		return rest.Answer{}, err
	}
	s.Wake()
	return rest.Answer{Status: http.StatusAccepted, Body: map[string]string{"deliveryId": id}}, nil
}

// enqueueFor adds a delivery that no rule decided.
func (s *Service) enqueueFor(ctx context.Context, tx *sqldb.Tx, c channel, kind, decision, text string, said map[string]string) (id string, err error) {
	data := map[string]string{"id": decision, "channelId": c.ID, "text": text}
	for name, value := range said {
		data[name] = value
	}
	encoded, err := json.Marshal(data)
	if err != nil {
		return "", err
	}
	row, err := newRow(c, Alert{DecisionID: decision, Subject: c.Subject, Type: kind, At: s.now(), Text: text, Data: encoded}, s.now())
	if err != nil {
		return "", err
	}
	return row[0].(string), insertRows(ctx, tx, [][]any{row})
}

// rotateSecret gives a webhook another secret. That until now goes on signing beside it for a day.
func (s *Service) rotateSecret(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	if err := rest.ReadNothing(w, r); err != nil {
		return rest.Answer{}, err
	}
	var fresh string
	c, err := s.change(r, by, func(_ context.Context, _ *sqldb.Tx, c *channel) error {
		if c.Kind != KindWebhook {
			return notForKind(c.Kind)
		}
		c.Private, fresh = c.Private.rotated(s.now())
		return nil
	})
	if err != nil {
		return rest.Answer{}, err
	}
	return withSecret(c, fresh), nil
}

// confirmMailbox takes the code that a mailbox was sent. A wrong one counts, so that it cannot be guessed.
func (s *Service) confirmMailbox(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	var code string
	err := rest.ReadObject(w, r, func(o *rest.Object) {
		rest.Required(o, "code", &code, "the code that the mailbox was sent, such as K7QX2M9P", func(text string) bool { return text != "" && len(text) <= 40 })
	})
	if err != nil {
		return rest.Answer{}, err
	}
	var refusal error
	c, err := s.change(r, by, func(_ context.Context, _ *sqldb.Tx, c *channel) error {
		refusal = nil
		switch {
		case c.Kind != kindMail:
			return notForKind(c.Kind)
		case c.State != stateUnconfirmed:
			return nil
		case c.Private.Tries >= codeTries || !c.Private.CodeTil.After(s.now()):
			return codeEnded()
		case !c.Private.isCode(code):
			c.Private.Tries++ // committed, though it is refused
			refusal = codeRefused(codeTries - c.Private.Tries)
			return nil
		}
		c.State, c.Private = stateActive, private{}
		return nil
	})
	if err == nil {
		err = refusal
	}
	if err != nil {
		return rest.Answer{}, err
	}
	return channelAnswer(c), nil
}

func (s *Service) getPushKey(_ http.ResponseWriter, r *http.Request, _ rest.Caller) (rest.Answer, error) {
	if err := rest.NoParams(r); err != nil {
		return rest.Answer{}, err
	}
	if s.push == nil {
		return rest.Answer{}, pushNotConfigured()
	}
	return rest.Answer{Body: map[string]string{"key": s.push.PublicKey()}}, nil
}
