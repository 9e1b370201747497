package delivery

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/sqldb"
	"parkwire/internal/webhook"
)

// The kinds of channels.
const (
	KindWebhook = "webhook"
	kindPush    = "push"
	kindMail    = "mail"
)

// The states of a channel.
const (
	stateUnconfirmed = "unconfirmed" // a mailbox whose owner has not sent back the code
	stateActive      = "active"
	statePaused      = "paused"   // by its subject: what is decided meanwhile is not sent there
	stateDisabled    = "disabled" // by the receiver (410), or since nothing was delivered for days
	stateEnded       = "ended"    // the browser has ended its subscription: there is nothing left to be used
)

const (
	maxChannels  = 20             // of one subject
	secretGrace  = 24 * time.Hour // in which the secret before signs too
	codeAge      = 24 * time.Hour
	codeTries    = 5
	codesPerDay  = 3  // to one mailbox
	codesPerUser = 10 // a day
)

// private is what nobody is shown.
type private struct {
	Secrets []secret  `json:"secrets,omitempty"` // of a webhook, the newest first
	P256DH  string    `json:"p256dh,omitempty"`
	Auth    string    `json:"auth,omitempty"`
	Code    string    `json:"code,omitempty"` // SHA-256 of the code that a mailbox was sent, in base64
	CodeTil time.Time `json:"codeUntil,omitzero"`
	Tries   int       `json:"tries,omitempty"` // of the code
}

type secret struct {
	Text  string    `json:"text"`
	Until time.Time `json:"until,omitzero"` // zero: it is the present one
}

// secrets are those that sign now.
func (p private) secrets(now time.Time) (texts []string) {
	for _, s := range p.Secrets {
		if s.Until.IsZero() || s.Until.After(now) {
			texts = append(texts, s.Text)
		}
	}
	return texts
}

// rotated puts a new secret in front. That until now goes on signing beside it for a while, and older ones do not.
func (p private) rotated(now time.Time) (private, string) {
	fresh := webhook.NewSecret()
	secrets := []secret{{Text: fresh}}
	if len(p.Secrets) > 0 {
		secrets = append(secrets, secret{p.Secrets[0].Text, now.Add(secretGrace)})
	}
	p.Secrets = secrets
	return p, fresh
}

// withCode makes a code, which a person can read and type: 8 of 32 letters and digits.
func (p private) withCode(now time.Time) (private, string) {
	const letters = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ" // 32
	var random [8]byte
	_, _ = rand.Read(random[:]) // never fails
	for i, b := range random {
		random[i] = letters[int(b)%len(letters)]
	}
	code := string(random[:])
	p.Code, p.CodeTil, p.Tries = digestOf(code), now.Add(codeAge), 0
	return p, code
}

func digestOf(code string) string {
	sum := sha256.Sum256([]byte(strings.ToUpper(strings.Map(func(r rune) rune {
		if r == ' ' || r == '-' {
			return -1
		}
		return r
	}, code))))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// isCode reports whether a code is the one that was sent.
func (p private) isCode(code string) bool {
	return p.Code != "" && subtle.ConstantTimeCompare([]byte(p.Code), []byte(digestOf(code))) == 1
}

// channel is where a subject wants to be told.
type channel struct {
	ID, Subject, Kind, Name, Target, Host, State, Reason string
	Private                                              private
	CreatedAt, UpdatedAt                                 time.Time
	FailingSince, DeliveredAt                            time.Time
}

// channelView is a channel as it is answered.
type channelView struct {
	ID   string `json:"id"`
	Kind string `json:"kind"`
	Name string `json:"name"`
	// One of these says where.
	URL      string `json:"url,omitempty"`
	Endpoint string `json:"endpoint,omitempty"`
	Address  string `json:"address,omitempty"`

	State        string     `json:"state"`
	Reason       string     `json:"reason,omitempty"`
	CreatedAt    event.Time `json:"createdAt"`
	UpdatedAt    event.Time `json:"updatedAt,omitzero"`
	DeliveredAt  event.Time `json:"deliveredAt,omitzero"`
	FailingSince event.Time `json:"failingSince,omitzero"`
	// PreviousUntil is until when the secret before the present one signs too.
	PreviousUntil event.Time `json:"previousUntil,omitzero"`
	// Secret is told once, to who had it made.
	Secret string `json:"secret,omitempty"`
}

func (c channel) view() channelView {
	v := channelView{
		ID: c.ID, Kind: c.Kind, Name: c.Name, State: c.State, Reason: c.Reason,
		CreatedAt: event.At(c.CreatedAt), UpdatedAt: event.At(c.UpdatedAt), DeliveredAt: event.At(c.DeliveredAt), FailingSince: event.At(c.FailingSince),
	}
	switch c.Kind {
	case KindWebhook:
		v.URL = c.Target
	case kindPush:
		v.Endpoint = c.Target
	case kindMail:
		v.Address = c.Target
	}
	if len(c.Private.Secrets) > 1 {
		v.PreviousUntil = event.At(c.Private.Secrets[1].Until)
	}
	return v
}

// audited is a channel as it is told to the topic of changes. The address of a webhook or of a subscription is by itself a secret: who knows it can
// send there. Of it the host is told.
func (c channel) audited() any {
	v := c.view()
	v.DeliveredAt, v.FailingSince, v.UpdatedAt = event.Time{}, event.Time{}, event.Time{}
	switch c.Kind {
	case KindWebhook:
		v.URL = c.Host
	case kindPush:
		v.Endpoint = c.Host
	}
	return v
}

// hostOf is the scheme, name and port of an address, by which channels share a circuit.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

var channelNames = []string{"channel_id", "subject", "kind", "name", "target", "host", "state", "reason", "private", "created_at", "updated_at", "failing_since", "delivered_at"}

// channelColumns are the columns that scanChannel reads.
func channelColumns(table string) string {
	return table + "." + strings.Join(channelNames, ", "+table+".")
}

// scanChannel reads a channel from the end of a row; before are what stands in front of it.
func scanChannel(r sqldb.Row, before ...any) (channel, error) {
	var c channel
	var text string
	var created, updated, failing, delivered int64
	err := r.Scan(append(before, &c.ID, &c.Subject, &c.Kind, &c.Name, &c.Target, &c.Host, &c.State, &c.Reason, &text, &created, &updated, &failing, &delivered)...)
	if err != nil {
		return channel{}, err
	}
	if err := json.Unmarshal([]byte(text), &c.Private); err != nil {
		return channel{}, fmt.Errorf("reading channel %s: %w", c.ID, err)
	}
	c.CreatedAt, c.UpdatedAt, c.FailingSince, c.DeliveredAt = at(created), at(updated), at(failing), at(delivered)
	return c, nil
}

func at(millis int64) time.Time {
	if millis == 0 {
		return time.Time{}
	}
	return time.UnixMilli(millis)
}

func (c channel) row() ([]any, error) {
	text, err := json.Marshal(c.Private)
	if err != nil {
		return nil, fmt.Errorf("encoding a channel: %w", err)
	}
	return []any{c.ID, c.Subject, c.Kind, c.Name, c.Target, c.Host, c.State, c.Reason, string(text),
		millis(c.CreatedAt), millis(c.UpdatedAt), millis(c.FailingSince), millis(c.DeliveredAt)}, nil
}

// save writes a channel, which is new or not.
func (c channel) save(ctx context.Context, tx *sqldb.Tx) error {
	row, err := c.row()
	if err != nil {
		return err
	}
	sets := make([]string, len(channelNames)-1)
	for i, name := range channelNames[1:] {
		sets[i] = name + " = excluded." + name
	}
	err = tx.Insert(ctx, "alert_channels ("+strings.Join(channelNames, ", ")+")", [][]any{row}, "on conflict (channel_id) do update set "+strings.Join(sets, ", "))
	if err != nil {
		return fmt.Errorf("saving a channel: %w", err)
	}
	return nil
}

// idsAtOnce bounds the parameters of a query.
const idsAtOnce = 500

func channelsByID(ctx context.Context, tx *sqldb.Tx, ids map[string]bool) (map[string]channel, error) {
	all := map[string]channel{}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(ids)), idsAtOnce) {
		args := make([]any, len(some))
		for i, id := range some {
			args[i] = id
		}
		found, err := sqldb.All(ctx, tx, func(r sqldb.Row) (channel, error) { return scanChannel(r) },
			"select "+channelColumns("c")+" from alert_channels c where c.channel_id in ("+placeholders(len(args))+")", args...)
		if err != nil {
			return nil, fmt.Errorf("reading channels: %w", err)
		}
		for _, c := range found {
			all[c.ID] = c
		}
	}
	return all, nil
}

// channelOf returns a channel of a subject. Those of others are not there for it.
func channelOf(ctx context.Context, tx *sqldb.Tx, subject, id string) (channel, error) {
	c, there, err := sqldb.One(ctx, tx, func(r sqldb.Row) (channel, error) { return scanChannel(r) },
		"select "+channelColumns("c")+" from alert_channels c where c.channel_id = ? and c.subject = ?", id, subject)
	switch {
	case err != nil:
		return channel{}, fmt.Errorf("reading a channel: %w", err)
	case !there:
		return channel{}, channelNotFound(id)
	}
	return c, nil
}
