package webhook_test

import (
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"parkwire/internal/webhook"
)

// The example of the specification's own libraries.
const (
	theirSecret    = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	theirID        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	theirSeconds   = 1614265330
	theirBody      = `{"test": 2432232314}`
	theirSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
)

func TestSignaturesAreThoseOfStandardWebhooks(t *testing.T) {
	for _, secret := range []string{theirSecret, strings.TrimPrefix(theirSecret, "whsec_")} {
		got, err := webhook.Sign(secret, theirID, time.Unix(theirSeconds, 0), []byte(theirBody))
		if err != nil || got != theirSignature {
			t.Errorf("the signature is %s (%v), not %s", got, err, theirSignature)
		}
	}
}

func theirHeader(change func(http.Header)) http.Header {
	h := http.Header{}
	h.Set("webhook-id", theirID)
	h.Set("webhook-timestamp", strconv.Itoa(theirSeconds))
	h.Set("webhook-signature", theirSignature)
	if change != nil {
		change(h)
	}
	return h
}

// Vectors for receivers: each must be judged in this way.
func TestReceiversVerifyRequests(t *testing.T) {
	const other = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	drop := func(name string) func(http.Header) { return func(h http.Header) { h.Del(name) } }
	for _, v := range []struct {
		is     string
		change func(http.Header)
		body   string
		secret string
		after  time.Duration
		want   error
	}{
		{is: "a good one"},
		{is: "a good one, as late as may be", after: webhook.Tolerance},
		{is: "a good one of a clock that is ahead", after: -webhook.Tolerance},
		{is: "one of several signatures", change: set("webhook-signature", other+" v2,abc "+theirSignature+" "+other)},
		{is: "late", after: webhook.Tolerance + time.Second, want: webhook.ErrTime},
		{is: "early", after: -webhook.Tolerance - time.Second, want: webhook.ErrTime},
		{is: "no id", change: drop("webhook-id"), want: webhook.ErrHeaders},
		{is: "no time", change: drop("webhook-timestamp"), want: webhook.ErrHeaders},
		{is: "no signature", change: drop("webhook-signature"), want: webhook.ErrHeaders},
		{is: "a time that is no number", change: set("webhook-timestamp", "now"), want: webhook.ErrHeaders},
		{is: "two ids", change: func(h http.Header) { h.Add("webhook-id", "other") }, want: webhook.ErrHeaders},
		{is: "two lines of signatures", change: func(h http.Header) { h.Add("webhook-signature", other) }, want: webhook.ErrHeaders},
		{is: "another time", change: set("webhook-timestamp", strconv.Itoa(theirSeconds+1)), want: webhook.ErrSignature},
		{is: "another id", change: set("webhook-id", theirID+"x"), want: webhook.ErrSignature},
		{is: "a bound that moved", change: set("webhook-id", theirID+"."), want: webhook.ErrSignature},
		{is: "another body", body: theirBody + " ", want: webhook.ErrSignature},
		{is: "another signature", change: set("webhook-signature", other), want: webhook.ErrSignature},
		{is: "another version", change: set("webhook-signature", "v1a"+theirSignature[2:]), want: webhook.ErrSignature},
		{is: "no version", change: set("webhook-signature", theirSignature[3:]), want: webhook.ErrSignature},
		{is: "cut short", change: set("webhook-signature", theirSignature[:len(theirSignature)-5]), want: webhook.ErrSignature},
		{is: "another secret", secret: webhook.NewSecret(), want: webhook.ErrSignature},
	} {
		secret, body := v.secret, v.body
		if secret == "" {
			secret = theirSecret
		}
		if body == "" {
			body = theirBody
		}
		err := webhook.Verify(secret, theirHeader(v.change), []byte(body), time.Unix(theirSeconds, 0).Add(v.after))
		if !errors.Is(err, v.want) || v.want == nil && err != nil {
			t.Errorf("%s is judged as %v, not %v", v.is, err, v.want)
		}
	}
}

func TestSecretsAreLongAndDiffer(t *testing.T) {
	a, b := webhook.NewSecret(), webhook.NewSecret()
	bytes, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(a, "whsec_"))
	if err != nil || len(bytes) != 32 || a == b {
		t.Errorf("the secrets %s and %s are not 32 random bytes each", a, b)
	}
	for _, bad := range []string{"", "whsec_", "whsec_?", "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 23)), "whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 65))} {
		if _, err := webhook.Sign(bad, "a", time.Now(), nil); err == nil {
			t.Errorf("the secret %q is taken", bad)
		}
	}
}
