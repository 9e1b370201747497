package mail_test

import (
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"mime/quotedprintable"
	netmail "net/mail"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"parkwire/internal/mail"
	"parkwire/internal/mail/mailtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newSender(t *testing.T, url string, roots *x509.CertPool, whole time.Duration) *mail.Sender {
	t.Helper()
	s, err := mail.New(mail.Options{URL: url, From: "parking@example.org", Roots: roots, Whole: whole})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

var letter = mail.Message{
	ID: "0199-a", To: "anna@example.net", Subject: "Platz A-017 ist frei — schnell!", Date: time.Date(2026, 11, 24, 3, 35, 0, 0, time.UTC),
	Text: "Der Platz A-017 ist frei.\n.\n.. und noch ein Punkt\n" + strings.Repeat("lang ", 300) + "\n",
}

func TestMessagesArriveAsTheyWereWritten(t *testing.T) {
	for what, c := range map[string]struct {
		change       func(*mailtest.Server)
		scheme, user string
		rest         string
		tls          bool
	}{
		"TLS from the beginning":  {func(s *mailtest.Server) { s.Implicit, s.Auth = true, "PLAIN LOGIN" }, "smtps", "anna:pass%20word@", "", true},
		"STARTTLS":                {func(s *mailtest.Server) { s.StartTLS, s.Auth = true, "LOGIN PLAIN" }, "smtp", "anna:pass%20word@", "", true},
		"STARTTLS and AUTH LOGIN": {func(s *mailtest.Server) { s.StartTLS, s.Auth = true, "LOGIN" }, "smtp", "anna:pass%20word@", "", true},
		"STARTTLS, nobody":        {func(s *mailtest.Server) { s.StartTLS = true }, "smtp", "", "", true},
		"no TLS":                  {nil, "smtp", "", "?starttls=never", false},
	} {
		t.Run(what, func(t *testing.T) {
			s, roots := mailtest.New(t, c.change)
			if err := newSender(t, s.URL(c.scheme, c.user, c.rest), roots, time.Minute).Send(t.Context(), letter); err != nil {
				t.Fatal(err)
			}
			got := s.Got()
			if len(got) != 1 || got[0].TLS != c.tls || got[0].To != "RCPT TO:<anna@example.net>" {
				t.Fatalf("it got %v", got)
			}
			m, err := netmail.ReadMessage(strings.NewReader(s.Got()[0].Text))
			if err != nil {
				t.Fatal(err)
			}
			subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
			if err != nil || subject != letter.Subject {
				t.Errorf("the subject is %q (%v)", subject, err)
			}
			body, err := io.ReadAll(quotedprintable.NewReader(m.Body))
			if err != nil || strings.ReplaceAll(string(body), "\r\n", "\n") != letter.Text {
				t.Errorf("the text is %q (%v)", body, err)
			}
			for name, want := range map[string]string{
				"Message-Id": "<0199-a@example.org>", "To": "<anna@example.net>", "From": "Parkwire <parking@example.org>", "Auto-Submitted": "auto-generated",
				"Date": "Tue, 24 Nov 2026 03:35:00 +0000",
			} {
				if got := m.Header.Get(name); got != want {
					t.Errorf("%s is %q", name, got)
				}
			}
			for line := range strings.SplitSeq(s.Got()[0].Text, "\r\n") {
				if len(line) > 998 {
					t.Errorf("a line has %d bytes", len(line))
				}
			}
		})
	}
}

func TestLongSubjectsAreFolded(t *testing.T) {
	s, roots := mailtest.New(t, nil)
	long := letter
	long.Subject = strings.Repeat("駐車場の空き", 33)
	if err := newSender(t, s.URL("smtp", "", "?starttls=never"), roots, time.Minute).Send(t.Context(), long); err != nil {
		t.Fatal(err)
	}
	text := s.Got()[0].Text
	for line := range strings.SplitSeq(text, "\n") {
		if len(line) > 100 {
			t.Errorf("a line has %d bytes", len(line))
		}
	}
	m, err := netmail.ReadMessage(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	if subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil || subject != long.Subject {
		t.Errorf("the subject is %q (%v)", subject, err)
	}
}

func TestNothingIsSentWithoutTheTLSThatIsWanted(t *testing.T) {
	s, roots := mailtest.New(t, func(s *mailtest.Server) { s.Auth = "PLAIN" })
	err := newSender(t, s.URL("smtp", "anna:pass%20word@", ""), roots, time.Minute).Send(t.Context(), letter)
	if err == nil || !strings.Contains(err.Error(), "STARTTLS") {
		t.Errorf("a server without STARTTLS: %v", err)
	}
	other, _ := mailtest.New(t, func(s *mailtest.Server) { s.Implicit = true })
	if err := newSender(t, other.URL("smtps", "", ""), nil, time.Minute).Send(t.Context(), letter); err == nil {
		t.Error("a certificate that nobody vouches for is taken")
	}
	stripped, roots := mailtest.New(t, func(s *mailtest.Server) { s.StartTLS = true; s.Answers = map[string]string{"STARTTLS": "454 not now"} })
	if err := newSender(t, stripped.URL("smtp", "anna:pass%20word@", ""), roots, time.Minute).Send(t.Context(), letter); err == nil {
		t.Error("a server that refuses STARTTLS is used")
	}
	for _, s := range []*mailtest.Server{s, other, stripped} {
		if text := strings.Join(s.Commands(), "\n"); strings.Contains(text, "AUTH") || strings.Contains(text, "MAIL") {
			t.Errorf("it was told %q", text)
		}
	}
}

func TestWhatAServerRefuses(t *testing.T) {
	for what, c := range map[string]struct {
		answers          map[string]string
		refused, recipnt bool
		busy             bool
	}{
		"a mailbox that is not there": {answers: map[string]string{"RCPT": "550 no such user"}, refused: true, recipnt: true},
		"greylisting":                 {answers: map[string]string{"RCPT": "451 later"}, busy: true},
		"the message":                 {answers: map[string]string{".": "554 spam"}, refused: true},
		"no room":                     {answers: map[string]string{".": "452 full"}, busy: true},
		"the sender":                  {answers: map[string]string{"MAIL": "550 who are you"}, refused: true},
		"everything":                  {answers: map[string]string{"EHLO": "421 away", "HELO": "421 away"}},
	} {
		t.Run(what, func(t *testing.T) {
			s, roots := mailtest.New(t, func(s *mailtest.Server) { s.Answers = c.answers })
			err := newSender(t, s.URL("smtp", "", "?starttls=never"), roots, time.Minute).Send(t.Context(), letter)
			var refused *mail.RefusedError
			var busy *mail.BusyError
			if err == nil || errors.As(err, &refused) != c.refused || errors.As(err, &busy) != c.busy || c.refused && refused.Recipient != c.recipnt {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestAServerThatHangsCostsABoundedTime(t *testing.T) {
	for _, at := range []string{"greeting", "EHLO", "MAIL", "RCPT", "DATA"} {
		s, roots := mailtest.New(t, func(s *mailtest.Server) { s.Hang = at })
		if err := newSender(t, s.URL("smtp", "", "?starttls=never"), roots, 200*time.Millisecond).Send(t.Context(), letter); err == nil {
			t.Errorf("it hangs at %s, and has the message", at)
		}
	}
	s, roots := mailtest.New(t, func(s *mailtest.Server) { s.Implicit, s.Hang = true, "EHLO" })
	if err := newSender(t, s.URL("smtps", "", ""), roots, 200*time.Millisecond).Send(t.Context(), letter); err == nil {
		t.Error("it hangs over TLS, and has the message")
	}
}

func TestNothingInAMessageBecomesAnotherLineOfItsHeader(t *testing.T) {
	s, roots := mailtest.New(t, nil)
	sender := newSender(t, s.URL("smtp", "", "?starttls=never"), roots, time.Minute)
	evil := letter
	evil.Subject = "free\r\nBcc: all@example.com\r\n\r\nbody \u2028 x\x00y"
	evil.ID = "a>\r\nX: y"
	if err := sender.Send(t.Context(), evil); err != nil {
		t.Fatal(err)
	}
	m, err := netmail.ReadMessage(strings.NewReader(s.Got()[0].Text))
	if err != nil {
		t.Fatal(err)
	}
	if m.Header.Get("Bcc") != "" || m.Header.Get("X") != "" || len(m.Header) != 9 {
		t.Errorf("the header is %v", m.Header)
	}
	for _, to := range []string{
		"", "anna", "anna@localhost", "anna@example.net, eve@example.com", "Anna <anna@example.net>", "anna@example.net\r\nRCPT TO:<eve@example.com>",
		"anna@example.net>", "\"anna\"@example.net", "anna @example.net", "ännå@example.net", "anna@exa\tmple.net", strings.Repeat("a", 65) + "@example.net",
	} {
		evil.To = to
		if err := sender.Send(t.Context(), evil); err == nil {
			t.Errorf("a message to %q is sent", to)
		}
	}
}

func TestAddressesOfServersAreChecked(t *testing.T) {
	for _, good := range []string{"smtps://a:b@mail.example.org", "smtp://a:b@mail.example.org:2525", "smtp://127.0.0.1:25?starttls=never", "smtp://mail.example.org"} {
		if wrong := mail.CheckURL(good, false); wrong != "" {
			t.Errorf("%s: %s", good, wrong)
		}
	}
	for _, bad := range []string{
		"", "mail.example.org:25", "http://mail.example.org", "smtps://", "smtp://a:sesame@mail.example.org?starttls=never", "smtp://mail.example.org?starttls=maybe",
		"smtps://mail.example.org?starttls=never", "smtp://a@mail.example.org", "smtp://mail.example.org/path", "smtp://a:sesame@mail.example.org?x=y",
	} {
		wrong := mail.CheckURL(bad, false)
		if wrong == "" || strings.Contains(wrong, "sesame") {
			t.Errorf("%q: %q", bad, wrong)
		}
	}
}
