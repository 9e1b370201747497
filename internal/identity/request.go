package identity

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/problem"
)

// The headers by which the gateway tells the parts behind it who makes a request.
const (
	HeaderSubject = "X-Parkwire-Subject"
	HeaderScopes  = "X-Parkwire-Scopes" // space separated
	HeaderLots    = "X-Parkwire-Lots"   // likewise, each in percent encoding; not there for who is not limited to lots
	// What an answer without an end needs to know of the token that began it; each is not there where it is not known.
	HeaderToken   = "X-Parkwire-Token"   // its id, in percent encoding
	HeaderIssued  = "X-Parkwire-Issued"  // Unix milliseconds
	HeaderExpires = "X-Parkwire-Expires" // likewise
)

// headerFamily is how the names of these headers begin.
const headerFamily = "X-Parkwire-"

// Bearer returns the token that r carries: from the Authorization header, or, where
// inQuery allows it, from the parameter access_token. A browser's WebSocket and
// EventSource can set no header, so that notifications take it from the address; other
// routes do not, because addresses end up in logs and histories. Several Authorization headers are one list, as
// RFC 9110 has it, and a list is no good token: who looks at the first only would disagree with who looks at the last.
func Bearer(r *http.Request, inQuery bool) string {
	header := strings.Join(r.Header["Authorization"], ", ")
	scheme, token, _ := strings.Cut(header, " ")
	if strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if inQuery && header == "" {
		return r.URL.Query().Get("access_token")
	}
	return ""
}

// An Authenticator says who makes a request: the zero Principal where nobody shows a
// token, an error in whose chain is [ErrToken] where the token is no good, or [ErrUnavailable] where that cannot be told now.
type Authenticator interface {
	Authenticate(*http.Request) (Principal, error)
}

// What is at these addresses is streamed, and tokens are accepted in the address.
const (
	NotificationsPath = "/notifications"
	AlertsPath        = "/api/v1/alerts/stream"
)

// InAddress reports whether a token may stand in the address of the request, see [Bearer].
func InAddress(r *http.Request) bool {
	return r.URL.Path == NotificationsPath || r.URL.Path == AlertsPath
}

// Behind takes the word of the gateway in front. It is for parts whose address only
// gateways can reach.
type Behind struct{}

// Authenticate reads the headers that the gateway set.
func (Behind) Authenticate(r *http.Request) (Principal, error) {
	p := Principal{Subject: r.Header.Get(HeaderSubject), Scopes: strings.Fields(r.Header.Get(HeaderScopes))}
	if lots, limited := r.Header[HeaderLots]; limited {
		p.Lots = []string{}
		for escaped := range strings.FieldsSeq(strings.Join(lots, " ")) {
			lot, err := url.PathUnescape(escaped)
			if err != nil {
				return Principal{}, fmt.Errorf("the header %s cannot be read: %w", HeaderLots, ErrToken)
			}
			p.Lots = append(p.Lots, lot)
		}
	}
	token, err := url.PathUnescape(r.Header.Get(HeaderToken))
	if err != nil {
		return Principal{}, fmt.Errorf("the header %s cannot be read: %w", HeaderToken, ErrToken)
	}
	p.TokenID = token
	if p.IssuedAt, err = readTime(r.Header, HeaderIssued); err != nil {
		return Principal{}, err
	}
	p.Expires, err = readTime(r.Header, HeaderExpires)
	return p, err
}

func readTime(h http.Header, name string) (time.Time, error) {
	text := h.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	ms, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("the header %s cannot be read: %w", name, ErrToken)
	}
	return time.UnixMilli(ms).UTC(), nil
}

func setTime(h http.Header, name string, t time.Time) {
	if !t.IsZero() {
		h.Set(name, strconv.FormatInt(t.UnixMilli(), 10))
	}
}

// Forward puts p into the headers of a request that goes on to a part, and takes out
// whatever headers of that family the client sent.
func Forward(h http.Header, p Principal) {
	for name := range h {
		if strings.HasPrefix(name, headerFamily) {
			delete(h, name)
		}
	}
	if p.Anonymous() {
		return
	}
	h.Set(HeaderSubject, p.Subject)
	h.Set(HeaderScopes, strings.Join(p.Scopes, " "))
	if p.Lots != nil {
		h.Set(HeaderLots, escapeLots(p.Lots))
	}
	if p.TokenID != "" {
		h.Set(HeaderToken, url.PathEscape(p.TokenID))
	}
	setTime(h, HeaderIssued, p.IssuedAt)
	setTime(h, HeaderExpires, p.Expires)
}

// escapeLots is how ids of lots stand in a header.
func escapeLots(lots []string) string {
	escaped := make([]string, len(lots))
	for i, lot := range lots {
		escaped[i] = url.PathEscape(lot)
	}
	return strings.Join(escaped, " ")
}

// LotsLength is how many bytes ids of lots take in a header.
func LotsLength(lots []string) int { return len(escapeLots(lots)) }

// CopyForwarded puts into one request what [Forward] put into another.
func CopyForwarded(to, from http.Header) {
	for name, values := range from {
		if strings.HasPrefix(name, headerFamily) {
			to[name] = values
		}
	}
}

// Authorize returns a problem unless p may do what needs scope; "" needs nothing. It is 401
// for somebody without a token and 403 for one whose token does not reach so far.
func Authorize(p Principal, scope string) error {
	switch {
	case scope == "" || p.Can(scope):
		return nil
	case p.Anonymous():
		return problem.New(http.StatusUnauthorized, "token-required",
			fmt.Sprintf("This needs a token with the scope %q in the header \"Authorization: Bearer TOKEN\".", scope))
	}
	return problem.New(http.StatusForbidden, "scope-missing",
		fmt.Sprintf("The token of %q does not have the scope %q.", p.Subject, scope)).With("scope", scope)
}

// AuthorizeLot returns a problem unless p reaches the lot. A request that names a lot is judged by its token alone, so that the answer
// does not tell whether there is such a lot.
func AuthorizeLot(p Principal, lotID string) error {
	if p.Reaches(lotID) {
		return nil
	}
	refusal := problem.New(http.StatusForbidden, "lot-not-allowed", fmt.Sprintf("Your token is limited to certain lots, and %q is none of them.", lotID))
	if len(p.Lots) == 0 {
		refusal.Detail = "Your token is limited to lots, and names none."
	}
	return refusal
}

// Refused returns the problem with which a token is answered that is no good, or that cannot be judged now.
func Refused(err error) problem.Problem {
	if errors.Is(err, ErrUnavailable) {
		return problem.New(http.StatusServiceUnavailable, "identity-unavailable", "Whether this token is good cannot be found out at present: "+
			strings.TrimSuffix(err.Error(), ": "+ErrUnavailable.Error())+". Try again in a moment.")
	}
	return problem.New(http.StatusUnauthorized, "token-invalid", "The token is refused: "+
		strings.TrimSuffix(err.Error(), ": "+ErrToken.Error())+".")
}

// Challenge sets the header that goes with a 401 or 403 (RFC 6750, section 3), and with a token that cannot be checked now.
func Challenge(h http.Header, p problem.Problem) {
	switch {
	case strings.HasSuffix(p.Type, ":identity-unavailable"):
		h.Set("Retry-After", "2")
	case strings.HasSuffix(p.Type, ":token-invalid"):
		h.Set("WWW-Authenticate", `Bearer realm="parkwire", error="invalid_token"`)
	case strings.HasSuffix(p.Type, ":scope-missing"):
		h.Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm="parkwire", error="insufficient_scope", scope="%v"`, p.Extras["scope"]))
	case p.Status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer realm="parkwire"`)
	}
}
