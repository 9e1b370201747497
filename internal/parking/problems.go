package parking

import (
	"fmt"
	"net/http"

	"parkwire/internal/problem"
	"parkwire/internal/rest"
)

// Every problem that this part answers with, beside those of [identity] and [rest]: slug, status and words. Programs tell
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
		fmt.Sprintf("The spot %q is at version %d; If-Match was %s. Read it again and decide anew.", s.ID, s.Version, rest.Shorten(wanted))).
		With("version", s.Version)
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

// problemOf returns the problem with which err is answered, and whether it is one that only the log can explain.
func problemOf(err error) (p problem.Problem, internal bool) {
	return rest.ProblemOf(err, ErrUnavailable)
}
