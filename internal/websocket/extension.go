package websocket

import (
	"net/http"
	"strconv"
	"strings"
)

// HeaderExtensions is where the parties of a handshake agree on extensions.
const HeaderExtensions = "Sec-WebSocket-Extensions"

const permessageDeflate = "permessage-deflate"

// OffersDeflate reports whether the client of a handshake offers permessage-deflate (RFC 7692) in a way that [Deflate] and a [Parser]
// can serve, and what to answer: the first such offer wins. An offer that is malformed, or wants of the server a window smaller than the
// whole one, is passed over as if it had not been made.
//
// Neither side keeps anything from message to message: frames are the same bytes for all, and idle connections hold no window.
func OffersDeflate(r *http.Request) (answer string, ok bool) {
	for _, line := range r.Header.Values(HeaderExtensions) {
		for _, offer := range splitUnquoted(line, ',') {
			if answer, ok := acceptOffer(splitUnquoted(offer, ';')); ok {
				return answer, true
			}
		}
	}
	return "", false
}

// acceptOffer gets the name of an extension and its parameters.
func acceptOffer(parts []string) (answer string, ok bool) {
	if parts[0] != permessageDeflate {
		return "", false
	}
	answer = permessageDeflate + "; server_no_context_takeover; client_no_context_takeover"
	seen := map[string]bool{}
	for _, part := range parts[1:] {
		name, value, valued := strings.Cut(part, "=")
		name, value = strings.TrimSpace(name), strings.TrimSpace(value)
		if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
			value = value[1 : n-1]
		}
		switch {
		case seen[name]:
			return "", false
		case !valued && (name == "server_no_context_takeover" || name == "client_no_context_takeover" || name == "client_max_window_bits"):
		case name == "client_max_window_bits" && isWindow(value), name == "server_max_window_bits" && value == "15":
			answer += "; " + name + "=" + value
		default:
			return "", false
		}
		seen[name] = true
	}
	return answer, true
}

// isWindow reports whether text is the size of a window, as a power of two (RFC 7692, section 7.1.2).
func isWindow(text string) bool {
	n, err := strconv.Atoi(text)
	return err == nil && n >= 8 && n <= 15 && strconv.Itoa(n) == text
}

// splitUnquoted splits a header where the separator stands outside of quotes. The parts come without space around them.
func splitUnquoted(text string, separator byte) (parts []string) {
	start, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case c == separator && !quoted:
			parts, start = append(parts, strings.TrimSpace(text[start:i])), i+1
		}
	}
	return append(parts, strings.TrimSpace(text[start:]))
}
