package delivery

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/google/uuid"

	"parkwire/internal/mail"
	"parkwire/internal/outward"
	"parkwire/internal/rest"
	"parkwire/internal/sqldb"
	"parkwire/internal/webhook"
	"parkwire/internal/webpush"
)

// subscription is what a browser's PushSubscription is as JSON.
type subscription struct {
	endpoint string
	expires  float64
	keys     *keys
}

type keys struct{ p256dh, auth string }

// readChannel reads a new channel. What it is depends on its kind.
func (s *Service) readChannel(o *rest.Object, c *channel) {
	rest.Required(o, "kind", &c.Kind, `"webhook", "push" or "mail"`, func(kind string) bool { return kind == KindWebhook || kind == kindPush || kind == kindMail })
	rest.Optional(o, "name", &c.Name, rest.WantName, rest.ValidName)
	switch c.Kind {
	case KindWebhook:
		s.readURL(o, c)
	case kindPush:
		s.readSubscription(o, c)
	case kindMail:
		var text string
		rest.Required(o, "address", &text, mail.WantedAddress, nil)
		address, err := mail.ParseAddress(text)
		if err != nil && o.Err() == nil {
			o.Fail("address", mail.WantedAddress, rest.Shorten(text))
		}
		c.Target = address
	}
	if c.Name == "" {
		c.Name = c.Kind
	}
}

// readURL reads the address of a webhook. Where it is patched, it may be absent.
func (s *Service) readURL(o *rest.Object, c *channel) {
	before := c.Target
	rest.Required(o, "url", &c.Target, outward.Wanted, func(text string) bool { return text != "" })
	if o.Err() == nil && c.Target != before {
		if wrong := outward.CheckURL(c.Target, s.options.Allow); wrong != "" {
			o.Fail("url", wrong, withoutSecrets(c.Target))
		}
	}
	c.Host = hostOf(c.Target)
}

// withoutSecrets is an address as it may be repeated: without what may be a password.
func withoutSecrets(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return "something else"
	}
	return rest.Shorten(u.Redacted())
}

func (s *Service) readSubscription(o *rest.Object, c *channel) {
	var sub *subscription
	rest.Nested(o, "subscription", &sub, func(o *rest.Object, sub *subscription) {
		rest.Required(o, "endpoint", &sub.endpoint, outward.Wanted, nil)
		rest.Optional(o, "expirationTime", &sub.expires, "a number of milliseconds since 1970, or null", nil)
		rest.Nested(o, "keys", &sub.keys, func(o *rest.Object, k *keys) {
			rest.Required(o, "p256dh", &k.p256dh, "a point of P-256 in base64url", nil)
			rest.Required(o, "auth", &k.auth, "16 bytes in base64url", nil)
		})
	})
	const want = "what pushManager.subscribe() gives a page, as JSON: endpoint, and keys with p256dh and auth"
	switch {
	case o.Err() != nil:
		return
	case sub == nil || sub.keys == nil:
		o.Refuse(rest.MissingField("subscription", want))
		return
	}
	if wrong := outward.CheckURL(sub.endpoint, s.options.Allow); wrong != "" {
		o.Fail("subscription.endpoint", wrong, withoutSecrets(sub.endpoint))
		return
	}
	if _, err := webpush.ParseKeys(sub.keys.p256dh, sub.keys.auth); err != nil {
		o.Fail("subscription.keys", want, err.Error())
		return
	}
	c.Target, c.Host = sub.endpoint, hostOf(sub.endpoint)
	c.Private = private{P256DH: sub.keys.p256dh, Auth: sub.keys.auth}
}

// postChannel adds a channel. A browser that tells its subscription again gets the channel that it has.
func (s *Service) postChannel(w http.ResponseWriter, r *http.Request, by rest.Caller) (rest.Answer, error) {
	var c channel
	if err := rest.ReadObject(w, r, func(o *rest.Object) { s.readChannel(o, &c) }); err != nil {
		return rest.Answer{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return rest.Answer{}, err
	}
	c.ID, c.Subject, c.State = id.String(), by.Who.Subject, stateActive
	c.CreatedAt = s.now()
	c.UpdatedAt = c.CreatedAt
	var fresh, code string
	switch c.Kind {
	case KindWebhook:
		fresh = webhook.NewSecret()
		c.Private.Secrets = []secret{{Text: fresh}}
	case kindPush:
		if s.push == nil {
			return rest.Answer{}, pushNotConfigured()
		}
	case kindMail:
		if s.options.Mail == nil {
			return rest.Answer{}, mailNotConfigured()
		}
		c.Host, c.State = s.options.Mail.Host(), stateUnconfirmed
		c.Private, code = c.Private.withCode(c.CreatedAt)
	}
	kept, status := c, http.StatusCreated
	err = s.options.DB.Update(r.Context(), func(ctx context.Context, tx *sqldb.Tx) error {
		kept, status = c, http.StatusCreated
		known, err := s.sameBrowser(ctx, tx, c)
		switch {
		case err != nil:
			return err
		case known != nil:
			kept, status = *known, http.StatusOK
			return kept.save(ctx, tx)
		}
		if err := room(ctx, tx, c.Subject); err != nil {
			return err
		}
		if c.Kind == kindMail {
			if err := s.sendCode(ctx, tx, c, id.String(), code); err != nil {
				return err
			}
		}
		if err := c.save(ctx, tx); err != nil {
			return err
		}
		return s.options.Audit(ctx, tx, r, by.Who, auditKind, c.ID, nil, c.audited())
	})
	if err != nil {
		return rest.Answer{}, err
	}
	s.options.Audited()
	s.Wake()
	a := channelAnswer(kept)
	if fresh != "" {
		a = withSecret(kept, fresh)
	}
	a.Status, a.Location = status, rest.Prefix+"/alerts/channels/"+kept.ID
	return a, nil
}

// sameBrowser returns the channel of a subscription that is told again, with the keys that it has now; nil where it is new.
func (s *Service) sameBrowser(ctx context.Context, tx *sqldb.Tx, c channel) (*channel, error) {
	if c.Kind != kindPush {
		return nil, nil
	}
	known, there, err := sqldb.One(ctx, tx, func(r sqldb.Row) (channel, error) { return scanChannel(r) },
		"select "+channelColumns("c")+" from alert_channels c where c.subject = ? and c.kind = ? and c.target = ?", c.Subject, c.Kind, c.Target)
	if err != nil || !there {
		return nil, err
	}
	known.Private, known.UpdatedAt = c.Private, c.UpdatedAt
	if known.State == stateEnded || known.State == stateDisabled {
		known.State, known.Reason, known.FailingSince = stateActive, "", time.Time{}
	}
	return &known, nil
}

// room refuses one channel more than a subject may have.
func room(ctx context.Context, tx *sqldb.Tx, subject string) error {
	n, _, err := sqldb.One(ctx, tx, scanNumber, "select count(*) from alert_channels where subject = ?", subject)
	if err != nil {
		return fmt.Errorf("counting channels: %w", err)
	}
	if n >= maxChannels {
		return tooManyChannels()
	}
	return nil
}

// sendCode sends a mailbox the code by which its owner says that alerts may come. How many there are a day is bounded, or else anybody could fill
// the mailboxes of others.
func (s *Service) sendCode(ctx context.Context, tx *sqldb.Tx, c channel, decision, code string) error {
	since := s.now().Add(-24 * time.Hour).UnixMilli()
	toIt, _, err := sqldb.One(ctx, tx, scanNumber, `select count(*) from alert_deliveries where type = 'channel.confirm' and target = ? and created_at > ?`, c.Target, since)
	if err != nil {
		return fmt.Errorf("counting codes: %w", err)
	}
	byThem, _, err := sqldb.One(ctx, tx, scanNumber, `select count(*) from alert_deliveries where type = 'channel.confirm' and subject = ? and created_at > ?`, c.Subject, since)
	if err != nil {
		return fmt.Errorf("counting codes: %w", err)
	}
	if toIt >= codesPerDay || byThem >= codesPerUser {
		return tooManyCodes()
	}
	_, err = s.enqueueFor(ctx, tx, c, typeConfirm, decision, "The code is "+code+". It holds for a day.", nil)
	return err
}
