package rest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// Precondition is the header If-Match of a change: it holds for the tags that it lists, or for all.
type Precondition string

// IfMatch returns what the request asks for.
func IfMatch(r *http.Request) Precondition {
	return Precondition(strings.Join(r.Header.Values("If-Match"), ", "))
}

// Holds reports whether the change may be made of what has this ETag.
func (p Precondition) Holds(is string) bool {
	for tag := range strings.SplitSeq(string(p), ",") {
		if tag = strings.TrimSpace(tag); tag == "*" || tag == is {
			return true
		}
	}
	return p == ""
}

// IfNoneMatch reports whether the client has already what has this ETag, so that it is answered [NotModified].
func IfNoneMatch(r *http.Request, is string) bool {
	for tag := range strings.SplitSeq(strings.Join(r.Header.Values("If-None-Match"), ","), ",") {
		if tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/"); tag == "*" || tag == is {
			return true
		}
	}
	return false
}

// Digest is the ETag of what has no version: it changes with whatever may be edited.
func Digest(described any) string {
	text, _ := json.Marshal(described) // plain fields: it does not fail
	sum := sha256.Sum256(text)
	return fmt.Sprintf(`"%x"`, sum[:8])
}
