package hostile

import "strings"

const (
	limited = `{"scope":"operate","lots":["central"]}`
	admin   = `{"scope":"admin"}`
)

// ours asks with a token for the lot central.
func ours(r request) func(*world) string { return r.by(forgery{claims: limited}) }

var lots = group{
	title: "Other lots",
	about: "With a token of the scope `operate` for the lot `central` alone. A lot that a request names is judged by the token, whether there is such a lot or not; what lies in another lot is not there.",
	attacks: []attack{
		{"to read another lot", ours(get("/api/v1/lots/north")), "403 lot-not-allowed", ""},
		{"to read a lot that is not there", ours(get("/api/v1/lots/nowhere")), "403 lot-not-allowed", ""},
		{"to count another lot", ours(get("/api/v1/lots/north/summary")), "403 lot-not-allowed", ""},
		{"to list spots of another lot", ours(get("/api/v1/spots?lot=north")), "403 lot-not-allowed", ""},
		{"to list spots of both", ours(get("/api/v1/spots?lot=central&lot=north")), "403 lot-not-allowed", ""},
		{"to read a spot of another lot", ours(get("/api/v1/spots/N-1")), "404 spot-not-found", ""},
		{"to read its history", ours(get("/api/v1/spots/N-1/history")), "404 spot-not-found", ""},
		{"to occupy it", ours(post("/api/v1/spots/N-1/occupy", "")), "404 spot-not-found", ""},
		{"to reserve it", ours(write("PUT", "/api/v1/spots/N-1/reservation", `{}`)), "404 spot-not-found", ""},
		{"to rename it", ours(patch("/api/v1/spots/N-1", `{"name":"mine"}`)), "404 spot-not-found", ""},
		{"to remove it", ours(drop("/api/v1/spots/N-1")), "404 spot-not-found", ""},
		{"to add a lot", ours(post("/api/v1/lots", `{"id":"x","name":"X"}`)), "403 lot-not-allowed", ""},
		{"to add a lot that is there", ours(post("/api/v1/lots", `{"id":"north","name":"X"}`)), "403 lot-not-allowed", ""},
		{"to rename another lot", ours(patch("/api/v1/lots/north", `{"name":"mine"}`)), "403 lot-not-allowed", ""},
		{"to remove another lot", ours(drop("/api/v1/lots/north")), "403 lot-not-allowed", ""},
		{"to add spots to another lot", ours(post("/api/v1/lots/north/spots", `{"spotId":"X-1"}`)), "403 lot-not-allowed", ""},
		{"to import into another lot", ours(post("/api/v1/lots/north/spots:import", "id\nX-1\n", "Content-Type: text/csv")), "403 lot-not-allowed", ""},
		{"to import a spot of another lot into this one", ours(post("/api/v1/lots/central/spots:import", "id\nN-1\n", "Content-Type: text/csv")), "200 1 rejected (spotId)", ""},
		{"readings of another lot", ours(post("/api/v1/observations", `[{"spotId":"N-1","occupied":true,"observedAt":"2026-01-01T00:00:00Z"}]`)), "200 1 rejected (spotId)", ""},
		{"a sensor on a spot of another lot", ours(post("/api/v1/sensors", `{"id":"x","model":"decoded","spotId":"N-1"}`)), "400 invalid-field (spotId)", ""},
		{"events of another lot", ours(get("/api/v1/events?lot=north")), "403 lot-not-allowed (lot)", ""},
		{"to listen to another lot", ours(get("/notifications?lot=north", "Accept: text/event-stream")), "403 lot-not-allowed (lot)", ""},
		{"to subscribe to another lot (v1)", asksBy(forgery{claims: limited}, `{"type":"Subscribe","id":"a","lot":["north"]}`), "Error lot-not-allowed (lot)", ""},
		{"to go over to a token for all lots (v1)", func(w *world) string {
			return asksBy(forgery{claims: limited}, `{"type":"Authenticate","token":"`+forgery{}.token(w)+`"}`)(w)
		}, "Error lots-changed (token)", ""},
		{"the header by which gateways tell parts of lots", ours(get("/api/v1/lots/north", "X-Parkwire-Lots: north")), "403 lot-not-allowed", ""},
		{"the same, named in `Connection`", ours(get("/api/v1/lots/north", "Connection: X-Parkwire-Lots")), "403 lot-not-allowed", ""},
		{"API keys, of an admin of one lot", get("/api/v1/keys").by(forgery{claims: `{"scope":"admin","lots":["central"]}`}), "403 lot-not-allowed", ""},
		{"a key for all lots, made by an admin of one", post("/api/v1/keys", `{"name":"X","scopes":["admin"]}`).by(forgery{claims: `{"scope":"admin","lots":["central"]}`}), "403 lot-not-allowed", ""},
		{"a token for no lots", get("/api/v1/lots/central").by(forgery{claims: `{"lots":[]}`}), "403 lot-not-allowed", ""},
		{"a token whose lots are `*`, which is no name of all", get("/api/v1/lots/central").by(forgery{claims: `{"lots":["*"]}`}), "403 lot-not-allowed", ""},
		{"a token whose lots are `null`", get("/api/v1/lots/central").by(forgery{text: `{"iss":"parkwire","sub":"m","scope":"operate","aud":"hostile","exp":9999999999,"lots":null}`}), "401 token-invalid", ""},
		{"a token whose lots are an object", get("/api/v1/lots/central").by(forgery{claims: `{"lots":{}}`}), "401 token-invalid", ""},
		{"a token whose lots are numbers", get("/api/v1/lots/central").by(forgery{claims: `{"lots":[1]}`}), "401 token-invalid", ""},
	},
}

// key shows an API key.
func key(lines ...string) func(*world) string {
	return func(w *world) string {
		var shown []string
		for _, line := range lines {
			shown = append(shown, strings.NewReplacer("{kept}", w.kept.Secret, "{revoked}", w.revoked.Secret).Replace(line))
		}
		return says(shown...)(w)
	}
}

// manages asks with the token of an admin for what has {kept} in it, the id of a key.
func manages(r request) func(*world) string {
	return func(w *world) string {
		r := r
		r.target = strings.ReplaceAll(r.target, "{kept}", w.kept.ID)
		return r.by(forgery{claims: admin})(w)
	}
}

func makes(body string) func(*world) string   { return manages(post("/api/v1/keys", body)) }
func revokes(body string) func(*world) string { return manages(post("/api/v1/revocations", body)) }

var keys = group{
	title: "API keys and revocations",
	about: "Keys are shown where the scope `operate` is needed; the key is one of the scope `ingest`, or one that was revoked. Keys and revocations are made with the token of an admin, where nothing else is said.",
	attacks: []attack{
		{"a key that is none", key("Authorization: Bearer pw_letmein"), "401 token-invalid", ""},
		{"a key that was never made", key("Authorization: Bearer pw_" + strings.Repeat("A", 43)), "401 token-invalid", ""},
		{"the same in `X-API-Key`", key("X-API-Key: pw_" + strings.Repeat("A", 43)), "401 token-invalid", ""},
		{"a word in `X-API-Key`", key("X-API-Key: letmein"), "401 token-invalid", ""},
		{"a key with its last letter cut", func(w *world) string { return says("X-API-Key: " + w.kept.Secret[:45])(w) }, "401 token-invalid", ""},
		{"a key in capitals", func(w *world) string { return says("X-API-Key: " + strings.ToUpper(w.kept.Secret))(w) }, "401 token-invalid", ""},
		{"a key that was revoked", key("Authorization: Bearer {revoked}"), "401 token-invalid", ""},
		{"the same in `X-API-Key`", key("X-API-Key: {revoked}"), "401 token-invalid", ""},
		{"a key whose scope does not reach", key("X-API-Key: {kept}"), "403 scope-missing", ""},
		{"a key in a cookie", key("Cookie: X-API-Key={kept}"), "401 token-required", ""},
		{"a key in the address", func(w *world) string { return get("/api/v1/sensors?api_key=" + w.kept.Secret).anonymously(w) }, "401 token-required", ""},
		{"two keys, the first one revoked", key("X-API-Key: {revoked}", "X-API-Key: {kept}"), "401 token-invalid", ""},
		{"two keys, the second one revoked", key("X-API-Key: {kept}", "X-API-Key: {revoked}"), "401 token-invalid", ""},
		{"a key and a token that is none", key("X-API-Key: {kept}", "Authorization: Bearer letmein"), "401 token-invalid", ""},
		{"a token that was revoked by its id", shows(forgery{claims: `{"jti":"stolen"}`}), "401 token-invalid", ""},
		{"a token of a subject that was revoked, issued before", shows(forgery{claims: `{"sub":"leaver","iat":"-1h"}`}), "401 token-invalid", ""},
		{"the same, without saying when it was issued", shows(forgery{claims: `{"sub":"leaver","iat":null}`}), "401 token-invalid", ""},
		{"a revoked token, to listen", get("/notifications", "Accept: text/event-stream").by(forgery{claims: `{"jti":"stolen"}`}), "401 token-invalid", ""},
		{"a subject as keys have it, by a token", shows(forgery{claims: `{"sub":"key:1"}`}), "401 token-invalid", ""},
		{"to list keys, as an operator", get("/api/v1/keys").send, "403 scope-missing", ""},
		{"to make a key, without a token", post("/api/v1/keys", `{"name":"X","scopes":["admin"]}`).anonymously, "401 token-required", ""},
		{"to make a key, as an operator", post("/api/v1/keys", `{"name":"X","scopes":["read"]}`).send, "403 scope-missing", ""},
		{"to make a key, by a key", post("/api/v1/keys", `{"name":"X","scopes":["admin"]}`, "X-API-Key: pw_"+strings.Repeat("A", 43)).anonymously, "401 token-invalid", ""},
		{"a key without a name", makes(`{"scopes":["read"]}`), "400 invalid-field (name)", ""},
		{"a key without scopes", makes(`{"name":"X"}`), "400 invalid-field (scopes)", ""},
		{"a key of no scopes", makes(`{"name":"X","scopes":[]}`), "400 invalid-field (scopes)", ""},
		{"a key of the scope `root`", makes(`{"name":"X","scopes":["root"]}`), "400 invalid-field (scopes)", ""},
		{"a key whose scopes are a text", makes(`{"name":"X","scopes":"admin"}`), "400 invalid-field (scopes)", ""},
		{"a key for no lots", makes(`{"name":"X","scopes":["read"],"lots":[]}`), "400 invalid-field (lots)", ""},
		{"a key for the lot `..`", makes(`{"name":"X","scopes":["read"],"lots":[".."]}`), "400 invalid-field (lots)", ""},
		{"a key that has expired", makes(`{"name":"X","scopes":["read"],"expiresAt":"2020-01-01T00:00:00Z"}`), "400 invalid-field (expiresAt)", ""},
		{"a key whose secret is chosen", makes(`{"name":"X","scopes":["read"],"secret":"` + hidden + `"}`), "400 unknown-field (secret)", ""},
		{"another secret, with the old one for ever", manages(post("/api/v1/keys/{kept}/rotate", `{"graceSeconds":1e9}`)), "400 invalid-field (graceSeconds)", ""},
		{"another secret, with the old one for less than nothing", manages(post("/api/v1/keys/{kept}/rotate", `{"graceSeconds":-1}`)), "400 invalid-field (graceSeconds)", ""},
		{"another secret of a key that is not there", manages(post("/api/v1/keys/nobody/rotate", "")), "404 key-not-found", ""},
		{"to revoke a key that is not there", manages(drop("/api/v1/keys/nobody")), "404 key-not-found", ""},
		{"to revoke a key of an earlier version", manages(request{method: "DELETE", target: "/api/v1/keys/{kept}", lines: []string{`If-Match: "0"`}}), "412 version-mismatch", ""},
		{"to revoke, as an operator", post("/api/v1/revocations", `{"subject":"owner"}`).send, "403 scope-missing", ""},
		{"to revoke nothing", revokes(`{}`), "400 invalid-body", ""},
		{"to revoke two things", revokes(`{"subject":"a","tokenId":"b"}`), "400 invalid-body", ""},
		{"to revoke a subject of 201 characters", revokes(`{"subject":"` + strings.Repeat("a", 201) + `"}`), "400 invalid-field (subject)", ""},
		{"to revoke until yesterday", revokes(`{"subject":"a","expiresAt":"2020-01-01T00:00:00Z"}`), "400 invalid-field (expiresAt)", ""},
		{"to take a revocation back", manages(drop("/api/v1/revocations/x")), "405 method-not-allowed", ""},
		{"what parking tells gateways of keys, from outside", manages(get("/internal/access")), "200 dashboard", ""},
	},
}
