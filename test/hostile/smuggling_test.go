package hostile

import "strings"

// smuggle sends the beginning of a request, and behind it one that asks for a lot that is not there. What is answered tells how much of
// what was sent the platform took for one request: who sees another end of the first than NGINX does can be made to serve a second
// that nobody checked.
func smuggle(head string, lines ...string) func(*world) string {
	return func(w *world) string {
		token := "Authorization: Bearer " + forgery{}.token(w)
		text := strings.Join(append([]string{head, "Host: parkwire.test", token}, lines...), "\r\n")
		if !strings.Contains(text, "\r\n\r\n") {
			text += "\r\n\r\n"
		}
		return w.converse(text + "GET /api/v1/lots/smuggled HTTP/1.1\r\nHost: parkwire.test\r\n" + token + "\r\nConnection: close\r\n\r\n")
	}
}

// raw sends bytes and nothing else.
func raw(text string) func(*world) string { return func(w *world) string { return w.converse(text) } }

const (
	addX  = "POST /api/v1/lots HTTP/1.1"
	typed = "Content-Type: application/json"
)

var smuggling = group{
	title: "Where a request ends",
	about: "A POST of `/api/v1/lots` with a body that is no lot, and behind it, on the same connection, `GET /api/v1/lots/smuggled`. An answer of 400 alone means that the connection was then closed, " +
		"and nothing behind was taken for a request; `lot-not-found` is the answer to the second request, where the first one was whole.",
	attacks: []attack{
		{"a right length (for comparison)", smuggle(addX, typed, "Content-Length: 2\r\n\r\n{}"), "400 invalid-field (id), 404 lot-not-found", ""},
		{"right chunks (for comparison)", smuggle(addX, typed, "Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"), "400 invalid-field (id), 404 lot-not-found", ""},
		{"a length and chunks", smuggle(addX, typed, "Content-Length: 4", "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400 invalid-body, 404 lot-not-found", "400"},
		{"chunks and a length", smuggle(addX, typed, "Transfer-Encoding: chunked", "Content-Length: 30\r\n\r\n0\r\n\r\n"), "400 invalid-body, 404 lot-not-found", "400"},
		{"two lengths", smuggle(addX, typed, "Content-Length: 2", "Content-Length: 20\r\n\r\n{}"), "400", "400"},
		{"two lengths in one line", smuggle(addX, typed, "Content-Length: 2, 20\r\n\r\n{}"), "400", "400"},
		{"a length below 0", smuggle(addX, typed, "Content-Length: -1\r\n\r\n"), "400", "400"},
		{"a length with a sign", smuggle(addX, typed, "Content-Length: +2\r\n\r\n{}"), "400", "400"},
		{"a hexadecimal length", smuggle(addX, typed, "Content-Length: 0x2\r\n\r\n{}"), "400", "400"},
		{"a length beyond 64 bits", smuggle(addX, typed, "Content-Length: 18446744073709551618\r\n\r\n{}"), "400", "400"},
		{"an empty length", smuggle(addX, typed, "Content-Length:\r\n\r\n"), "400", "400"},
		{"a space before the colon", smuggle(addX, typed, "Content-Length : 2\r\n\r\n{}"), "400", "400"},
		{"an encoding that is none", smuggle(addX, typed, "Transfer-Encoding: xchunked\r\n\r\n"), "501", "501"},
		{"an encoding behind chunks", smuggle(addX, typed, "Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"), "501", "501"},
		{"two encodings", smuggle(addX, typed, "Transfer-Encoding: chunked", "Transfer-Encoding: identity\r\n\r\n0\r\n\r\n"), "501", "400"},
		{"an encoding behind a vertical tab", smuggle(addX, typed, "Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n"), "400", "501"},
		{"an encoding in a folded line", smuggle(addX, typed, "Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"), "400 invalid-body, 404 lot-not-found", "400"},
		{"chunks to HTTP/1.0", smuggle("POST /api/v1/lots HTTP/1.0", typed, "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), "400 invalid-body", "400"},
		{"a chunk whose length is none", smuggle(addX, typed, "Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n"), "400 body-unreadable", "400"},
		{"a chunk whose length has a sign", smuggle(addX, typed, "Transfer-Encoding: chunked\r\n\r\n+2\r\n{}\r\n0\r\n\r\n"), "400 body-unreadable", "400"},
		{"a chunk beyond 64 bits", smuggle(addX, typed, "Transfer-Encoding: chunked\r\n\r\n10000000000000002\r\n{}\r\n0\r\n\r\n"), "400 body-unreadable", "400"},
		{"a chunk that is longer than it says", smuggle(addX, typed, "Transfer-Encoding: chunked\r\n\r\n1\r\n{}\r\n0\r\n\r\n"), "400 body-unreadable", "400"},
		{"an extension of a chunk of 100,000 bytes", smuggle(addX, typed, "Transfer-Encoding: chunked\r\n\r\n2;"+strings.Repeat("a", 100_000)+"\r\n{}\r\n0\r\n\r\n"), "400 body-unreadable", "400 invalid-field (id), 404 lot-not-found"},
		{"a lone line feed behind a chunk's length", smuggle(addX, typed, "Transfer-Encoding: chunked\r\n\r\n2\n{}\r\n0\r\n\r\n"), "400 body-unreadable", "400 invalid-field (id), 404 lot-not-found"},
		{"a token in a trailer", func(w *world) string {
			return w.converse("POST /api/v1/lots HTTP/1.1\r\nHost: parkwire.test\r\nConnection: close\r\nTrailer: Authorization\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer " + forgery{}.token(w) + "\r\n\r\n")
		}, "401 token-required", ""},
		{"a body of a GET, which means nothing", smuggle("GET /api/v1/lots/nowhere HTTP/1.1", "Content-Length: 2\r\n\r\n{}"), "404 lot-not-found, 404 lot-not-found", ""},
		{"another host in the address", smuggle("GET http://evil.example/api/v1/lots/nowhere HTTP/1.1"), "404 lot-not-found, 404 lot-not-found", ""},
		{"HTTP/0.9", raw("GET /api/v1/spots\r\n\r\n"), "400", "no HTTP/1"},
		{"HTTP/3.7", raw("GET /api/v1/spots HTTP/3.7\r\nHost: a\r\n\r\n"), "505", "505"},
		{"the preface of HTTP/2", raw("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), "404 route-not-found", "400"},
		{"a TLS handshake", raw("\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03" + strings.Repeat("\x00", 160) + "\r\n\r\n"), "400", "400"},
		{"bytes without sense", raw("\x00\xff\xfe\x01\r\n\r\n"), "400", "400"},
		{"a line feed alone between headers", raw("GET /api/v1/spots HTTP/1.1\nHost: a\nConnection: close\n\n"), "401 token-required", ""},
		{"a carriage return within a header", raw("GET /api/v1/spots HTTP/1.1\r\nHost: a\r\nX-A: b\rTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"), "400", "400"},
	},
}
