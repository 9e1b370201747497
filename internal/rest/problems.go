package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"parkwire/internal/problem"
)

// The problems that all services answer with, beside those of [identity]: slug, status and words. Programs tell them apart by the slug, so
// that one that is here stays.

// RouteNotFound is for a path that is none.
func RouteNotFound(path string) problem.Problem {
	return problem.New(http.StatusNotFound, "route-not-found", fmt.Sprintf("There is nothing at %s.", Shorten(path)))
}

// MethodNotAllowed is for a method that the path does not answer to.
func MethodNotAllowed(method, path string, allowed []string) problem.Problem {
	return problem.New(http.StatusMethodNotAllowed, "method-not-allowed",
		fmt.Sprintf("%s does not answer to %s, but to %s.", Shorten(path), Shorten(method), strings.Join(allowed, ", ")))
}

// allLotsNeeded is for what needs the scope admin, asked for with a token that is limited to lots.
func allLotsNeeded() problem.Problem {
	return problem.New(http.StatusForbidden, "lot-not-allowed", "Your token is limited to certain lots; this is for those who are not.")
}

// IDTaken is for an id that something of the kind has already.
func IDTaken(field, what, id string) problem.Problem {
	return problem.New(http.StatusConflict, "id-taken", fmt.Sprintf("There is a %s %q already. Choose another id, or change that %[1]s.", what, id)).WithField(field)
}

// ChangedMeanwhile is for what does not have the ETag that If-Match gives.
func ChangedMeanwhile(what, id string) problem.Problem {
	return problem.New(http.StatusPreconditionFailed, "version-mismatch",
		fmt.Sprintf("The %s %q is no longer as it was when you read the ETag that If-Match gives. Read it again and decide anew.", what, id))
}

// InvalidBody is for a body that is wrong as a whole.
func InvalidBody(detail string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-body", detail)
}

// MediaType is for a body that is of another kind than those that are taken.
func MediaType(is string, takes ...string) problem.Problem {
	return problem.New(http.StatusUnsupportedMediaType, "media-type",
		fmt.Sprintf("The body is sent as %q; here it is %s. Say so in the header Content-Type.", Shorten(is), strings.Join(takes, " or "))).WithField("Content-Type")
}

// BodyTooLarge is for a body of more than limit bytes.
func BodyTooLarge(limit int64) problem.Problem {
	return problem.New(http.StatusRequestEntityTooLarge, "body-too-large",
		fmt.Sprintf("The body is larger than %d bytes. Send it in several requests.", limit)).With("limit", limit)
}

// UnknownField is for a field that nobody reads.
func UnknownField(name string, known []string) problem.Problem {
	name = Shorten(name)
	detail := fmt.Sprintf("The field %q is not known here; this request has no fields.", name)
	if len(known) > 0 {
		detail = fmt.Sprintf("The field %q is not known here; there are %s.", name, strings.Join(known, ", "))
	}
	return problem.New(http.StatusBadRequest, "unknown-field", detail).WithField(name)
}

// MissingField is for a field that must be there.
func MissingField(name, want string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-field", fmt.Sprintf("The field %q is missing; it is %s.", name, want)).WithField(name)
}

// InvalidField says what the field must be and what it is.
func InvalidField(name, want, is string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-field",
		fmt.Sprintf("The field %q must be %s; it is %s.", name, want, Shorten(is))).WithField(name)
}

// InvalidParameter says what the parameter must be and what it is.
func InvalidParameter(name, want, is string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-parameter",
		fmt.Sprintf("The parameter %q must be %s; it is %s.", name, want, Shorten(is))).WithField(name)
}

// InvalidQuery is for a query that cannot be taken apart.
func InvalidQuery(is string) problem.Problem {
	return problem.New(http.StatusBadRequest, "invalid-parameter",
		fmt.Sprintf("The query %q is not made of pairs name=value in percent encoding.", Shorten(is)))
}

// UnknownParameter is for a parameter that nobody reads.
func UnknownParameter(name string, known []string) problem.Problem {
	name = Shorten(name)
	detail := fmt.Sprintf("The parameter %q is not known here; this address has none.", name)
	if len(known) > 0 {
		detail = fmt.Sprintf("The parameter %q is not known here; there are %s.", name, strings.Join(known, ", "))
	}
	return problem.New(http.StatusBadRequest, "unknown-parameter", detail).WithField(name)
}

// DatabaseUnavailable is for what needs a database that does not answer.
func DatabaseUnavailable() problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "database-unavailable",
		"The database cannot be reached at present. Nothing was changed that was not answered; try again in a moment.")
}

func requestEnded() problem.Problem {
	return problem.New(http.StatusServiceUnavailable, "request-ended", "The request ended before it was answered.")
}

// ProblemOf returns the problem with which err is answered, and whether it is one that only the log can explain. unavailable is in the chain
// of errors that come from a database that does not answer; nil: of none.
func ProblemOf(err, unavailable error) (p problem.Problem, internal bool) {
	switch {
	case errors.As(err, &p):
		return p, false
	case unavailable != nil && errors.Is(err, unavailable):
		return DatabaseUnavailable(), false
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return requestEnded(), false
	}
	return problem.From(err), true
}

// Instead returns with where err is of kind, and err itself where it is not.
func Instead(err, kind error, with problem.Problem) error {
	if errors.Is(err, kind) {
		return with
	}
	return err
}

// Shorten keeps what a client sent readable inside a sentence.
func Shorten(text string) string {
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
