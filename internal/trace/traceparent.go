package trace

import (
	"encoding/hex"

	otel "go.opentelemetry.io/otel/trace"
)

// length of a traceparent: version, trace, span and flags, as "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".
const length = 55

// Valid reports whether a text is a traceparent.
func Valid[T string | []byte](text T) bool {
	if len(text) != length || text[0] == 'f' && text[1] == 'f' {
		return false
	}
	trace, span := false, false // are not 0
	for i := range length {
		c := text[i]
		switch {
		case i == 2 || i == 35 || i == 52:
			if c != '-' {
				return false
			}
		case ('0' > c || c > '9') && ('a' > c || c > 'f'):
			return false
		case 2 < i && i < 35:
			trace = trace || c != '0'
		case 35 < i && i < 52:
			span = span || c != '0'
		}
	}
	return trace && span
}

// Followed reports whether a traceparent says that its trace is followed. It looks at nothing else.
func Followed[T string | []byte](traceparent T) bool {
	if len(traceparent) != length {
		return false
	}
	switch traceparent[length-1] {
	case '1', '3', '5', '7', '9', 'b', 'd', 'f':
		return true
	}
	return false
}

// Unfollowed is the same traceparent, and says that its trace is not followed; "" where it is none.
func Unfollowed(traceparent string) string {
	if !Valid(traceparent) {
		return ""
	}
	return traceparent[:length-2] + "00"
}

// parse reads a traceparent, as Valid has it.
func parse(traceparent string) (c otel.SpanContext, ok bool) {
	if !Valid(traceparent) {
		return c, false
	}
	var trace otel.TraceID
	var span otel.SpanID
	var flags [1]byte
	text := []byte(traceparent)
	_, _ = hex.Decode(trace[:], text[3:35]) // which is hexadecimal
	_, _ = hex.Decode(span[:], text[36:52])
	_, _ = hex.Decode(flags[:], text[53:])
	return otel.NewSpanContext(otel.SpanContextConfig{TraceID: trace, SpanID: span, TraceFlags: otel.TraceFlags(flags[0]) & otel.FlagsSampled, Remote: true}), true
}
