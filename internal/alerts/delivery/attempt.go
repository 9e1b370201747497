package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"parkwire/internal/event"
	"parkwire/internal/mail"
	"parkwire/internal/outward"
	"parkwire/internal/webhook"
	"parkwire/internal/webpush"
)

// verdict is what is to be done after an attempt.
type verdict string

const (
	taken verdict = "delivered"
	again verdict = "failed"  // it is tried later
	never verdict = "dead"    // it would be answered alike each time
	ended verdict = "refused" // the other side wants nothing any more
)

// result is what became of an attempt.
type result struct {
	verdict verdict
	reached bool // the host answered, whatever it said
	status  int  // of its answer; 0: there was none
	reason  string
	after   time.Duration // for how long the other side wants to be left alone
	err     error         // why there was no answer
}

// unanswered is the result of a request that had no answer. A server that does not answer in time after a connection was made does so for the
// path that it was asked for: or else whoever adds a bad one would close the host for all others. A name that leads to no public address is tried
// again, as one is that leads nowhere: what it leads to inside is nobody's business.
func unanswered(err error) result {
	r := result{verdict: again, reached: outward.Reached(err), reason: outward.Explain(err), err: err}
	if outward.Refused(err) && !outward.NotPublic(err) {
		r.verdict, r.reached = never, true
	}
	return r
}

// attempt makes one.
func (s *Service) attempt(ctx context.Context, d claimed) result {
	switch d.kind {
	case KindWebhook:
		return s.toWebhook(ctx, d)
	case kindPush:
		return s.toBrowser(ctx, d)
	case kindMail:
		return s.toMailbox(ctx, d)
	}
	return result{verdict: never, reason: fmt.Sprintf("channels of kind %q are not known to this program", d.kind)}
}

func (s *Service) toWebhook(ctx context.Context, d claimed) result {
	answer, err := s.webhooks.Send(ctx, webhook.Message{
		URL: d.channelOf.Target, Secrets: d.channelOf.Private.secrets(s.now()), ID: d.id, Body: []byte(d.document), Traceparent: d.traceparent,
	})
	switch {
	case err != nil:
		return unanswered(err)
	case answer.OK():
		return result{verdict: taken, reached: true, status: answer.Status}
	}
	r := result{verdict: again, reached: true, status: answer.Status, after: answer.RetryAfter, reason: fmt.Sprintf("it answered %d", answer.Status)}
	switch {
	case answer.Status == http.StatusGone:
		r.verdict, r.reason = ended, "it answered 410: it wants nothing any more"
	case answer.Status >= 300 && answer.Status <= 399:
		r.reason += ", a redirect, and redirects are not followed: give the channel the address to which it leads"
	}
	return r
}

func (s *Service) toBrowser(ctx context.Context, d claimed) result {
	if s.push == nil {
		return result{verdict: never, reached: true, reason: "this server has no key for web push any more"}
	}
	keys, err := webpush.ParseKeys(d.channelOf.Private.P256DH, d.channelOf.Private.Auth)
	if err != nil {
		return result{verdict: never, reached: true, reason: err.Error()}
	}
	answer, err := s.push.Send(ctx, webpush.Subscription{Endpoint: d.channelOf.Target, Keys: keys}, webpush.Message{
		Text: forBrowser(d), TTL: max(d.created.Add(s.age(d.kind)).Sub(s.now()), time.Minute), Urgent: true, Topic: d.topic,
	})
	switch {
	case err != nil:
		return unanswered(err)
	case answer.OK():
		return result{verdict: taken, reached: true, status: answer.Status}
	}
	r := result{verdict: again, reached: true, status: answer.Status, after: answer.RetryAfter, reason: fmt.Sprintf("the push service answered %d", answer.Status)}
	switch answer.Status {
	case http.StatusNotFound, http.StatusGone:
		r.verdict, r.reason = ended, "the browser has ended its subscription"
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden, http.StatusRequestEntityTooLarge:
		r.verdict = never
	}
	return r
}

// forBrowser is the document, or, where push services would not take one so long, what matters of it.
func forBrowser(d claimed) []byte {
	if len(d.document) <= webpush.MaxText {
		return []byte(d.document)
	}
	data, err := json.Marshal(map[string]any{"id": d.decision, "ruleId": d.rule, "text": shortened(d.text, 300), "cut": true})
	if err != nil {
		return nil // texts alone: it does not fail
	}
	text, _ := json.Marshal(document{d.id, d.typ, event.At(d.created), data})
	return text
}

// shortened keeps a text to so many characters.
func shortened(text string, most int) string {
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}

func (s *Service) toMailbox(ctx context.Context, d claimed) result {
	if s.options.Mail == nil {
		return result{verdict: never, reached: true, reason: "this server sends no mail any more"}
	}
	err := s.options.Mail.Send(ctx, letter(d))
	var refused *mail.RefusedError
	var busy *mail.BusyError
	switch {
	case err == nil:
		return result{verdict: taken, reached: true, status: 250}
	case errors.As(err, &refused):
		return result{verdict: never, reached: true, status: refused.Code, reason: refused.Error()}
	case errors.As(err, &busy):
		return result{verdict: again, reached: true, status: busy.Code, reason: busy.Error()}
	}
	s.logger.Debug("mail was not sent", "error", err)
	return result{verdict: again, reason: "the mail server could not be used"}
}

// letter is a delivery in words.
func letter(d claimed) mail.Message {
	m := mail.Message{ID: d.id, To: d.channelOf.Target, Subject: d.text, Date: d.created}
	switch d.typ {
	case typeConfirm:
		m.Subject = "Confirm this address for parking alerts"
		m.Text = d.text + "\n\nSomebody wants parking alerts to be sent to this address. If that was not you, do nothing: without the code nothing is sent here.\n"
	default:
		m.Text = d.text + "\n\n" + d.created.UTC().Format("2006-01-02 15:04:05") + " UTC\n\nYou asked for this by an alert rule. Change or delete the rule, or this mailbox's channel, to hear no more.\n"
	}
	return m
}

// age is after how long a delivery is given up.
func (s *Service) age(kind string) time.Duration {
	if kind == kindPush {
		return s.options.Sending.Age / 6
	}
	return s.options.Sending.Age
}

// pause is how long to wait after so many attempts: anything between nothing and a bound that doubles, so that what failed together does
// not come back together.
func (s *Service) pause(attempts int) time.Duration {
	bound := s.options.Sending.LongestBackoff
	if shift := attempts - 1; shift < 30 {
		bound = min(bound, s.options.Sending.Backoff<<shift)
	}
	return rand.N(bound) + time.Millisecond
}
