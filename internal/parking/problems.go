package parking

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"parkwire/internal/problem"
)

// Every problem that this part answers with, beside those of [identity]: slug, status and words. Programs tell
// them apart by the slug, so that one that is here stays.

func lotNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "lot-not-found", fmt.Sprintf("There is no lot %q.", id))
}

func zoneNotFound(lotID, id string) problem.Problem {
	return problem.New(http.StatusNotFound, "zone-not-found", fmt.Sprintf("The lot %q has no zone %q.", lotID, id))
}

func spotNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "spot-not-found", fmt.Sprintf("There is no spot %q.", id))
}

func sensorNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "sensor-not-found", fmt.Sprintf("There is no sensor %q.", id))
}

func keyNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "key-not-found", fmt.Sprintf("There is no API key %q.", id))
}

func revocationNotFound(id string) problem.Problem {
	return problem.New(http.StatusNotFound, "revocation-not-found", fmt.Sprintf("There is no revocation %q.", id))
}

func keyEnded(id string) problem.Problem {
	return problem.New(http.StatusConflict, "key-ended", fmt.Sprintf("The API key %q was revoked or has expired. Make another one.", id))
}

func accessForLots() problem.Problem {
	return problem.New(http.StatusForbidden, "lot-not-allowed", "Your token is limited to certain lots; keys and revocations are for those who are not.")
}

func routeNotFound(path string) problem.Problem {
	return problem.New(http.StatusNotFound, "route-not-found", fmt.Sprintf("There is nothing at %s.", shorten(path)))
}

func methodNotAllowed(method, path string, allowed []string) problem.Problem {
	return problem.New(http.StatusMethodNotAllowed, "method-not-allowed",
		fmt.Sprintf("%s does not answer to %s, but to %s.", shorten(path), shorten(method), strings.Join(allowed, ", ")))
}

func idTaken(field, what, id string) problem.Problem {
	return problem.New(http.StatusConflict, "id-taken", fmt.Sprintf("There is a %s %q already. Choose another id, or change that %[1]s.", what, id)).WithField(field)
}

func lotInUse(id string) problem.Problem {
	return problem.New(http.StatusConflict, "lot-in-use", fmt.Sprintf("The lot %q still has spots; remove them first.", id))
}

func zoneInUse(id string) problem.Problem {
	return problem.New(http.StatusConflict, "zone-in-use",
		fmt.Sprintf("The zone %q still has spots; remove them or move them to another zone first.", id))
}

func transitionRefused(s *Spot, detail string) problem.Problem {
	return problem.New(http.StatusConflict, "transition-refused", fmt.Sprintf("The spot %q %s.", s.ID, detail)).
		With("spotStatus", s.Status()).With("version", s.Version)
}

func versionMismatch(s Spot, wanted string) problem.Problem {
	return problem.New(http.StatusPreconditionFailed, "version-mismatch",
		fmt.Sprintf("The spot %q is at version %d; If-Match was %s. Read it again and decide anew.", s.ID, s.Version, shorten(wanted))).
		With("version", s.Version)
}

func changedMeanwhile(what, id string) problem.Problem {
	return problem.New(http.StatusPreconditionFailed, "version-mismatch",
		fmt.Sprintf("The %s %q is no longer as it was when you read the ETag that If-Match gives. Read it again and decide anew.", what, id))
}

func invalidKey() problem.Problem {
	return problem.New(http.StatusBadRequest, "idempotency-key-invalid", "The header Idempotency-Key must be given once, with "+wantKey+".").WithField(headerKey)
}

func keyReused() problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, "idempotency-key-reused",
		"Another request was sent under this Idempotency-Key. Send what is new under a key of its own, and what is repeated exactly as it was.").WithField(headerKey)
}

func keyInUse() problem.Problem {
	return problem.New(http.StatusConflict, "idempotency-key-in-use",
		"A request under this Idempotency-Key is still under way. Wait a moment, and send it again to get its answer.").WithField(headerKey)
}

func invalidBody(detail string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-body", detail)
}

func mediaType(is string, takes ...string) problem.Problem {
	return problem.New(http.StatusUnsupportedMediaType, "media-type",
		fmt.Sprintf("The body is sent as %q; here it is %s. Say so in the header Content-Type.", shorten(is), strings.Join(takes, " or "))).WithField("Content-Type")
}

func bodyTooLarge(limit int64) problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, "body-too-large",
		fmt.Sprintf("The body is larger than %d bytes. Send it in several requests.", limit)).With("limit", limit)
}

func tooManyRows(most int) problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, "too-many-rows",
		fmt.Sprintf("The file has more than %d rows. Nothing was changed. Send it in several parts, each with the header.", most)).With("limit", most)
}

// importRejected is what a file is answered of which all or nothing was wanted.
func importRejected(r importReport) problem.Problem {
	return problem.New(http.StatusUnprocessableEntity, "import-rejected",
		fmt.Sprintf("%d rows are not right, and nothing was changed. Mend them, or import the others without atomic=1.", r.Rejected)).
		With("rejected", r.Rejected).With("columns", r.Columns).With("errors", r.Errors).With("errorsOmitted", r.ErrorsOmitted)
}

func unknownField(name string, known []string) problem.Problem {
	name = shorten(name)
	detail := fmt.Sprintf("The field %q is not known here; this request has no fields.", name)
	if len(known) > 0 {
		detail = fmt.Sprintf("The field %q is not known here; there are %s.", name, strings.Join(known, ", "))
	}
	return problem.New(http.StatusBadRequest, "unknown-field", detail).WithField(name)
}

func missingField(name, want string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-field", fmt.Sprintf("The field %q is missing; it is %s.", name, want)).WithField(name)
}

// invalidField says what the field must be and what it is.
func invalidField(name, want, is string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-field",
		fmt.Sprintf("The field %q must be %s; it is %s.", name, want, shorten(is))).WithField(name)
}

func invalidParameter(name, want, is string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-parameter",
		fmt.Sprintf("The parameter %q must be %s; it is %s.", name, want, shorten(is))).WithField(name)
}

func invalidQuery(is string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-parameter",
		fmt.Sprintf("The query %q is not made of pairs name=value in percent encoding.", shorten(is)))
}

func unknownParameter(name string, known []string) problem.Problem {
	name = shorten(name)
	detail := fmt.Sprintf("The parameter %q is not known here; this address has none.", name)
	if len(known) > 0 {
		detail = fmt.Sprintf("The parameter %q is not known here; there are %s.", name, strings.Join(known, ", "))
	}
	return problem.New(http.StatusBadRequest, "unknown-parameter", detail).WithField(name)
}

func databaseUnavailable() problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "database-unavailable",
		"The database cannot be reached at present. Nothing was changed that was not answered; try again in a moment.")
}

func requestEnded() problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "request-ended", "The request ended before it was answered.")
}

// problemOf returns the problem with which err is answered, and whether it is one that only the log can explain.
func problemOf(err error) (p problem.Problem, internal bool) {
	switch {
	case errors.As(err, &p):
		return p, false
	case errors.Is(err, ErrUnavailable):
		return databaseUnavailable(), false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return requestEnded(), false
	}
	return problem.From(err), true
}

// instead returns with where err is of kind, and err itself where it is not.
func instead(err, kind error, with problem.Problem) error {
	if errors.Is(err, kind) {
		return with
	}
	return err
}

// shorten keeps what a client sent readable inside a sentence.
func shorten(text string) string {
	const most = 80
	n := 0
	for i := range text {
		if n == most {
			return text[:i] + "…"
		}
		n++
	}
	return text
}
