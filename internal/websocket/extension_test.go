package websocket

import (
	"strings"
	"testing"
)

const (
	agreed = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
	no     = "" // nothing is agreed on, and the handshake goes on
)

func TestTheFirstOfferThatCanBeServedIsTaken(t *testing.T) {
	for offers, want := range map[string]string{
		"":                   no,
		"permessage-deflate": agreed,
		" permessage-deflate ; client_max_window_bits ":                              agreed, // what browsers offer
		"permessage-deflate; client_no_context_takeover; server_no_context_takeover": agreed,
		"permessage-deflate; client_max_window_bits=10":                              agreed + "; client_max_window_bits=10",
		"permessage-deflate; client_max_window_bits=\"8\"":                           agreed + "; client_max_window_bits=8",
		"permessage-deflate; server_max_window_bits=15; client_max_window_bits=15":   agreed + "; server_max_window_bits=15; client_max_window_bits=15",
		"permessage-deflate; server_max_window_bits=10":                              no,
		"permessage-deflate; server_max_window_bits=10, permessage-deflate":          agreed,
		"x-webkit-deflate-frame, permessage-deflate":                                 agreed,
		"permessage-bzip2; permessage-deflate":                                       no,

		"permessage-deflate; unknown":                                          no,
		"permessage-deflate; unknown, permessage-deflate":                      agreed,
		"permessage-deflate=1":                                                 no,
		"permessage-deflate;":                                                  no,
		";permessage-deflate":                                                  no,
		"permessage-deflate; permessage-deflate":                               no,
		"permessage-deflate; server_no_context_takeover=true":                  no,
		"permessage-deflate; server_max_window_bits":                           no,
		"permessage-deflate; server_max_window_bits=":                          no,
		"permessage-deflate; client_max_window_bits=":                          no,
		"permessage-deflate; client_max_window_bits=7":                         no,
		"permessage-deflate; client_max_window_bits=16":                        no,
		"permessage-deflate; client_max_window_bits=09":                        no,
		"permessage-deflate; client_max_window_bits=+9":                        no,
		"permessage-deflate; client_max_window_bits=\"9":                       no,
		"permessage-deflate; client_max_window_bits; client_max_window_bits=9": no,
		`other; x="a, permessage-deflate"`:                                     no,
		`other; x="a\", permessage-deflate", permessage-deflate`:               agreed,
		`other; x="a, permessage-deflate`:                                      no,
	} {
		r := upgradeRequest()
		r.Header.Set(HeaderExtensions, offers)
		if answer, ok := OffersDeflate(r); answer != want || ok != (want != no) {
			t.Errorf("%q is answered with %q, %v; want %q", offers, answer, ok, want)
		}
	}
	r := upgradeRequest()
	r.Header.Add(HeaderExtensions, "permessage-deflate; server_max_window_bits=9")
	r.Header.Add(HeaderExtensions, "permessage-deflate")
	if answer, _ := OffersDeflate(r); answer != agreed {
		t.Errorf("two lines are answered with %q", answer)
	}
}

// Whatever is offered, an answer never agrees on what was not offered, nor lets anything of the offer into the headers.
func FuzzOffersDeflate(f *testing.F) {
	f.Add("permessage-deflate; client_max_window_bits=10, x")
	f.Add(`a; b="c, permessage-deflate"; d, permessage-deflate`)
	f.Fuzz(func(t *testing.T, offers string) {
		r := upgradeRequest()
		r.Header.Set(HeaderExtensions, offers)
		answer, ok := OffersDeflate(r)
		rest, begins := strings.CutPrefix(answer, agreed)
		if ok != begins {
			t.Fatalf("%q is answered with %q, %v", offers, answer, ok)
		}
		if strings.Contains(rest, "server") && !strings.Contains(offers, "server_max_window_bits") || strings.Trim(rest, "; abcdefghijklmnopqrstuvwxyz_=0123456789") != "" {
			t.Fatalf("%q is answered with %q", offers, answer)
		}
	})
}
