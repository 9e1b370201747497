package hostile

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"
)

// A forgery is a token as an attacker makes it. The zero forgery is a good token with the scope operate.
type forgery struct {
	header string // "": that of a good token
	claims string // a merge patch of those of a good token
	text   string // in the place of the claims
	sign   func(w *world, signed string) []byte
	spoil  func(token string) string
}

// token makes it. What was made must not be logged.
func (f forgery) token(w *world) string {
	token := w.sign(f)
	if f.spoil != nil {
		token = f.spoil(token)
	}
	if len(token) > 20 { // others are words
		w.secrets = append(w.secrets, token)
		if last := token[strings.LastIndexByte(token, '.')+1:]; len(last) > 20 {
			w.secrets = append(w.secrets, last)
		}
	}
	return token
}

func (w *world) sign(f forgery) string {
	header := f.header
	if header == "" {
		header = `{"alg":"HS256","typ":"JWT"}`
	}
	text := f.text
	if text == "" {
		claims := map[string]any{}
		for _, patch := range []string{`{"iss":"parkwire","sub":"mallory","scope":"operate","aud":"` + audience + `"}`, f.claims} {
			if patch != "" {
				if err := json.Unmarshal([]byte(patch), &claims); err != nil {
					w.t.Fatalf("%s: %v", patch, err)
				}
			}
		}
		for name, after := range map[string]time.Duration{"iat": 0, "nbf": 0, "exp": time.Hour} {
			switch shift, given := claims[name].(string); {
			case given && shift != "": // a duration from now on
				d, err := time.ParseDuration(shift)
				if err != nil {
					w.t.Fatal(err)
				}
				claims[name] = time.Now().Add(d).Unix()
			case claims[name] == nil && !strings.Contains(f.claims, `"`+name+`":null`):
				claims[name] = time.Now().Add(after).Unix()
			}
		}
		for name, value := range claims {
			if value == nil {
				delete(claims, name)
			}
		}
		b, err := json.Marshal(claims)
		if err != nil {
			w.t.Fatal(err)
		}
		text = string(b)
	}
	signed := segment(header) + "." + segment(text)
	sign := f.sign
	if sign == nil {
		sign = func(w *world, signed string) []byte { return hs256(w.key, signed) }
	}
	return signed + "." + segment(string(sign(w, signed)))
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func hs256(key []byte, signed string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(signed))
	return h.Sum(nil)
}
