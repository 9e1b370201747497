package hostile

import "strings"

var handshakes = group{
	title: "Handshakes",
	about: "`GET /notifications` as a WebSocket, with a good token of the scope `read`.",
	attacks: []attack{
		{"no upgrade", get("/notifications").send, "426 upgrade-required", ""},
		{"`Upgrade` without `Connection`", handshake("/notifications", "Connection: close"), "426 upgrade-required", "101"},
		{"another upgrade (h2c)", handshake("/notifications", "Upgrade: h2c", "Connection: Upgrade, HTTP2-Settings", "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA"), "426 upgrade-required", ""},
		{"an upgrade of another address", handshake("/api/v1/lots/nowhere", "Connection: Upgrade, close"), "404 lot-not-found", ""},
		{"POST", handshake("POST /notifications", "Content-Length: 0"), "405 method-not-allowed", ""},
		{"version 8", handshake("/notifications", "Sec-WebSocket-Version: 8"), "426 invalid-handshake", ""},
		{"no version", handshake("/notifications", "Sec-WebSocket-Version:"), "426 invalid-handshake", ""},
		{"no key", handshake("/notifications", "Sec-WebSocket-Key:"), "400 invalid-handshake", ""},
		{"a key of 3 bytes", handshake("/notifications", "Sec-WebSocket-Key: YWJj"), "400 invalid-handshake", ""},
		{"a key that is no base64", handshake("/notifications", "Sec-WebSocket-Key: !!!"), "400 invalid-handshake", ""},
		{"an Origin that may not", handshake("/notifications", "Origin: https://evil.example"), "403 origin-not-allowed", ""},
		{"an Origin that may, with `http`", handshake("/notifications", "Origin: http://signs.example.org"), "403 origin-not-allowed", ""},
		{"no token", handshake("/notifications", "Authorization:"), "401 token-required", ""},
		{"a bad token in the address", handshake("/notifications?access_token=letmein", "Authorization:"), "401 token-invalid", ""},
		{"an expired token in the address", func(w *world) string {
			return handshake("/notifications?access_token="+forgery{claims: `{"exp":"-1h"}`}.token(w), "Authorization:")(w)
		}, "401 token-invalid", ""},
		{"a good token in the address beside a bad one in the header", func(w *world) string {
			return handshake("/notifications?access_token="+forgery{}.token(w), "Authorization: Bearer letmein")(w)
		}, "401 token-invalid", ""},
		{"two tokens in the address, the first one bad", func(w *world) string {
			return handshake("/notifications?access_token=letmein&access_token="+forgery{}.token(w), "Authorization:")(w)
		}, "401 token-invalid", ""},
		{"a token of no scope", func(w *world) string {
			return handshake("/notifications?access_token="+forgery{claims: `{"scope":null}`}.token(w), "Authorization:")(w)
		}, "403 scope-missing", ""},
		{"an unknown parameter", handshake("/notifications?colour=red"), "400 unknown-parameter (colour)", ""},
		{"an empty filter", handshake("/notifications?lot="), "400 invalid-parameter (lot)", ""},
		{"a status that is none", handshake("/notifications?status=gone"), "400 invalid-parameter (status)", ""},
		{"1,001 values", handshake("/notifications?" + many("spot", 1_001)), "400 invalid-parameter (spot)", ""},
		{"a snapshot of 2", handshake("/notifications?snapshot=2"), "400 invalid-parameter (snapshot)", ""},
		{"a cursor that is none", handshake("/notifications?after=nonsense"), "400 invalid-cursor (after)", ""},
		{"a percent sign that encodes nothing", handshake("/notifications?lot=%zz"), "400 invalid-query", ""},
		{"a filter in the address of parkwire.v1", handshake("/notifications?lot=central", v1), "400 unknown-parameter (lot)", ""},
		{"an unknown subprotocol, which is not agreed on", handshake("/notifications", "Sec-WebSocket-Protocol: graphql-ws"), "101", ""},
		{"an extension that is none, which is not agreed on", handshake("/notifications", "Sec-WebSocket-Extensions: x; y=\"z"), "101", ""},
		{"server-sent events after a cursor that is none", get("/notifications", "Accept: text/event-stream", "Last-Event-ID: nonsense").send, "400 invalid-cursor (after)", ""},
	},
}

var frames = group{
	title: "Frames",
	about: "Sent over an open WebSocket of a plain client, which has nothing to say, or of parkwire.v1 (v1). A ping follows: the connection goes on where it is answered.",
	attacks: []attack{
		{"a frame that is not masked", sends("\x81\x02hi"), "closed with 1002", ""},
		{"a reserved bit (RSV1) without an extension", sends(framed("\xc1", "hi")), "closed with 1002", ""},
		{"a reserved bit (RSV2)", sends(framed("\xa1", "hi")), "closed with 1002", ""},
		{"a reserved opcode (3)", sends(framed("\x83", "hi")), "closed with 1002", ""},
		{"a reserved opcode (11)", sends(framed("\x8b", "hi")), "closed with 1002", ""},
		{"a ping in fragments", sends(framed("\x09", "hi")), "closed with 1002", ""},
		{"a ping of 126 bytes", sends(framed(ping, strings.Repeat("a", 126))), "closed with 1002", ""},
		{"a continuation of nothing", sends(framed("\x80", "hi")), "closed with 1002", ""},
		{"a text within a text", sends(framed("\x01", "hi") + framed(text, "hi")), "closed with 1002", ""},
		{"a length of 2^63", sends("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04"), "closed with 1002", ""},
		{"a length of 2^62", sends("\x81\xff\x40\x00\x00\x00\x00\x00\x00\x00\x01\x02\x03\x04"), "closed with 1009", ""},
		{"a length that is longer than it need be", sends("\x81\xfe\x00\x02\x00\x00\x00\x00hi"), "closed with 1002", ""},
		{"a text that is no UTF-8", sends(framed(text, "\xff\xfe")), "closed with 1007", ""},
		{"a text that ends within a character", sends(framed(text, "\xe2\x82")), "closed with 1007", ""},
		{"a text with half a character of UTF-16", sends(framed(text, "\xed\xa0\x80")), "closed with 1007", ""},
		{"a close of one byte", sends(framed(closed, "a")), "closed with 1002", ""},
		{"a close with 1005, which is never sent", sends(framed(closed, closing(1005, ""))), "closed with 1002", ""},
		{"a close with 999", sends(framed(closed, closing(999, ""))), "closed with 1002", ""},
		{"a close whose reason is no UTF-8", sends(framed(closed, closing(1000, "\xff"))), "closed with 1007", ""},
		{"a message of 5,000 bytes", sends(framed(text, strings.Repeat("a", 5_000))), "closed with 1009", ""},
		{"the same in fragments", sends(framed("\x01", strings.Repeat("a", 3_000)) + framed("\x80", strings.Repeat("a", 3_000))), "closed with 1009", ""},
		{"10,000 empty fragments", sends(framed("\x01", "") + strings.Repeat(framed("\x00", ""), 10_000)), "goes on", ""},
		{"1,000 pings at once", sends(strings.Repeat(framed(ping, "a"), 1_000)), "goes on", ""},
		{"a message that becomes 100 MB when it is unpacked", sends(framed("\xc1", deflated(strings.Repeat("a", 100_000_000))), deflates), "closed with 1009", ""},
		{"the same, so short that it fits", sends(framed("\xc1", deflated(strings.Repeat("a", 1_000_000))), deflates), "closed with 1009", ""},
		{"bytes that cannot be unpacked", sends(framed("\xc1", "\xff\xff\xff\xff"), deflates), "closed with 1007", ""},
		{"a request of HTTP", sends("GET /api/v1/spots HTTP/1.1\r\nHost: a\r\n\r\n"), "closed with 1002", ""},
		{"a text that is a message of parkwire.v1, which means nothing here", sends(framed(text, `{"type":"Subscribe","id":"a"}`)), "goes on", ""},
		{"v1: bytes that are no text", v1sends(framed(binry, "{}")), "closed with 1003", ""},
		{"v1: a message of 70,000 bytes", v1sends(framed(text, strings.Repeat("a", 70_000))), "closed with 1009", ""},
		{"v1: 100,000 messages without waiting for an answer", v1sends(strings.Repeat(framed(text, `{"type":"Subscribe","id":"a","snapshot":true}`), 100_000)), "closed with 1008", ""},
	},
}

// subscribes asks for a subscription with these fields.
func subscribes(fields string) func(*world) string {
	return asks(`{"type":"Subscribe","id":"a",` + fields + `}`)
}

func seventeen() (all []string) {
	for id := range strings.SplitSeq("a b c d e f g h i j k l m n o p q", " ") {
		all = append(all, `{"type":"Subscribe","id":"`+id+`"}`)
	}
	return all
}

// values is a list of as many texts.
func values(n int) string { return list(n, `"v%d"`) }

var messages = group{
	title: "Messages",
	about: "Of parkwire.v1, over an open connection with a token of the scope `read`. The connection goes on behind each of them.",
	attacks: []attack{
		{"nothing", asks(""), "Error invalid-message", ""},
		{"a text that is no JSON", asks("hello"), "Error invalid-message", ""},
		{"a list", asks("[]"), "Error invalid-message", ""},
		{"`null`", asks("null"), "Error invalid-message", ""},
		{"an object, and something behind it", asks(`{"type":"Subscribe","id":"a"} {}`), "Error invalid-message", ""},
		{"30,000 lists in each other", asks(strings.Repeat("[", 30_000) + strings.Repeat("]", 30_000)), "Error invalid-message", ""},
		{"no type", asks(`{"id":"a"}`), "Error invalid-message", ""},
		{"a type that is a number", asks(`{"type":1}`), "Error invalid-message (type)", ""},
		{"a type that is not known", asks(`{"type":"Shutdown"}`), "Error unknown-type (type)", ""},
		{"a type of the server", asks(`{"type":"Events","events":[],"cursor":"a"}`), "Error unknown-type (type)", ""},
		{"no id", asks(`{"type":"Subscribe"}`), "Error invalid-message (id)", ""},
		{"an empty id", asks(`{"type":"Subscribe","id":""}`), "Error invalid-message (id)", ""},
		{"an id of 65 characters", asks(`{"type":"Subscribe","id":"` + strings.Repeat("a", 65) + `"}`), "Error invalid-message (id)", ""},
		{"an id that is a number", asks(`{"type":"Subscribe","id":1}`), "Error invalid-message (id)", ""},
		{"a lot that is no list", subscribes(`"lot":"central"`), "Error invalid-message (lot)", ""},
		{"no lots", subscribes(`"lot":[]`), "Error invalid-filter (lot)", ""},
		{"an empty lot", subscribes(`"lot":[""]`), "Error invalid-filter (lot)", ""},
		{"a lot that is a number", subscribes(`"lot":[1]`), "Error invalid-message (lot)", ""},
		{"a status that is none", subscribes(`"status":["gone"]`), "Error invalid-filter (status)", ""},
		{"a change that is none", subscribes(`"change":["exploded"]`), "Error invalid-filter (change)", ""},
		{"1,001 spots", subscribes(`"spot":` + values(1_001)), "Error invalid-filter (spot)", ""},
		{"an empty cursor", subscribes(`"after":""`), "Error invalid-cursor (after)", ""},
		{"a cursor that is none", subscribes(`"after":"nonsense"`), "Error invalid-cursor (after)", ""},
		{"a cursor of 60,000 characters", subscribes(`"after":"` + strings.Repeat("A", 60_000) + `"`), "Error invalid-cursor (after)", ""},
		{"a snapshot that is a text", subscribes(`"snapshot":"yes"`), "Error invalid-message (snapshot)", ""},
		{"17 subscriptions", asks(seventeen()...), "Subscribed, Error too-many-subscriptions", ""},
		{"600 values, and 600 more", asks(`{"type":"Subscribe","id":"a","spot":`+values(600)+`}`, `{"type":"Subscribe","id":"b","spot":`+values(600)+`}`), "Subscribed, Error too-many-subscriptions", ""},
		{"the end of a subscription that is not there", asks(`{"type":"Unsubscribe","id":"b"}`), "Error unknown-subscription (id)", ""},
		{"no token to go on with", asks(`{"type":"Authenticate"}`), "Error invalid-message (token)", ""},
		{"a token that is a word", asks(`{"type":"Authenticate","token":"letmein"}`), "Error unauthorized (token)", ""},
		{"a token with `alg` none", authenticates(forgery{header: `{"alg":"none"}`, sign: unsigned}), "Error unauthorized (token)", ""},
		{"a token that has expired", authenticates(forgery{claims: `{"exp":"-1h"}`}), "Error unauthorized (token)", ""},
		{"a token for another audience", authenticates(forgery{claims: `{"aud":"parkwire-south"}`}), "Error unauthorized (token)", ""},
		{"a token of no scope", authenticates(forgery{claims: `{"scope":null}`}), "Error forbidden (token)", ""},
	},
}
