// Package mail hands short messages of plain text to an SMTP server.
package mail

import (
	"errors"
	"net"
	"net/mail"
	"net/url"
	"strings"
)

// Wanted is what the address of a server must be, in words.
const Wanted = "smtps://USER:PASSWORD@HOST (TLS, port 465), smtp://USER:PASSWORD@HOST (STARTTLS, port 587), or smtp://HOST:25?starttls=never"

// location is where the server is, and how it is spoken to.
type location struct {
	host, port     string
	user, password string
	tls            bool // from the beginning
	starttls       bool // must be offered
}

// CheckURL says what is wrong with the address of a server, or returns "". It repeats no password. aside says that the password stands elsewhere.
func CheckURL(text string, aside bool) string {
	if _, err := parse(text, aside); err != nil {
		return err.Error()
	}
	return ""
}

func parse(text string, aside bool) (location, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "smtp" && u.Scheme != "smtps" || u.Hostname() == "" || u.Path != "" && u.Path != "/" || u.Fragment != "" {
		return location{}, errors.New("it must be " + Wanted)
	}
	l := location{host: u.Hostname(), port: u.Port(), tls: u.Scheme == "smtps", starttls: u.Scheme == "smtp"}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return location{}, errors.New("it must be " + Wanted)
	}
	never := query.Get("starttls") == "never" && l.starttls
	switch {
	case len(query) > 1 || len(query) == 1 && !never:
		return location{}, errors.New(`behind the "?" of smtp: may stand starttls=never alone`)
	case never:
		l.starttls = false
	}
	if u.User != nil {
		l.user = u.User.Username()
		l.password, _ = u.User.Password()
		if aside && l.password != "" {
			return location{}, errors.New("it has a password, and alerts-smtp-password-file is set too; set one of them")
		}
		if l.user == "" || l.password == "" && !aside {
			return location{}, errors.New("it must name both user and password, or neither")
		}
		if !l.tls && !l.starttls {
			return location{}, errors.New("a password is not sent without TLS: leave out starttls=never, or user and password")
		}
	}
	if aside && l.user == "" {
		return location{}, errors.New("it must name the user whose password stands elsewhere")
	}
	if l.port == "" {
		l.port = map[bool]string{true: "465", false: "587"}[l.tls]
	}
	return l, nil
}

func (l location) address() string { return net.JoinHostPort(l.host, l.port) }

// WantedAddress is what an address of a mailbox must be, in words.
const WantedAddress = "an address such as anna@example.org, of at most 254 characters, without a name"

// ParseAddress returns an address as it is written in a message: one mailbox, without a name, in ASCII, and with nothing in it that could begin
// another line or another address.
func ParseAddress(text string) (string, error) {
	refused := errors.New("it must be " + WantedAddress)
	if len(text) > 254 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune(`,;:<>()[]\"`, r) }) {
		return "", refused
	}
	parsed, err := mail.ParseAddress(text)
	if err != nil || parsed.Address != text || parsed.Name != "" {
		return "", refused
	}
	at := strings.LastIndexByte(text, '@')
	if at > 64 || !strings.Contains(text[at:], ".") {
		return "", refused
	}
	return text[:at+1] + strings.ToLower(text[at+1:]), nil
}
