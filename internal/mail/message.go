package mail

import (
	"bytes"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"strings"
	"time"
)

// Message is a short text.
type Message struct {
	// ID is the left part of the Message-ID, the same each time that the message is sent: by it mail programs know one that comes again.
	ID      string
	To      string // as ParseAddress returns it
	Subject string
	Text    string
	Date    time.Time
}

// maxSubject is how long a subject is, in characters.
const maxSubject = 200

// oneLine returns a text in one line without control characters, so that nothing in it can become another line of the header.
func oneLine(text string, most int) string {
	var b strings.Builder
	n := 0
	for _, r := range text {
		if n == most {
			b.WriteString("…")
			break
		}
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == '\u2028' || r == '\u2029' {
			r = ' '
		}
		b.WriteRune(r)
		n++
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

// folded gives each encoded word a line: servers may refuse one of more than 998 bytes.
func folded(header string) string { return strings.ReplaceAll(header, "?= =?", "?=\r\n =?") }

// token returns what may stand in a Message-ID.
func token(text string) string {
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' || r == '.' || r == '_' {
			return r
		}
		return '-'
	}, text)
}

// encode writes the message as RFC 5322 has it. It says of itself that a program made it, so that no other program answers.
func (m Message) encode(from string) ([]byte, error) {
	var b bytes.Buffer
	domain := from[strings.LastIndexByte(from, '@')+1:]
	for _, line := range [][2]string{
		{"Date", m.Date.UTC().Format("Mon, 02 Jan 2006 15:04:05 -0700")},
		{"From", "Parkwire <" + from + ">"},
		{"To", "<" + m.To + ">"},
		{"Subject", folded(mime.QEncoding.Encode("utf-8", oneLine(m.Subject, maxSubject)))},
		{"Message-ID", "<" + token(m.ID) + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"},
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", line[0], line[1])
	}
	b.WriteString("\r\n")
	w := quotedprintable.NewWriter(&b)
	if _, err := w.Write([]byte(strings.ReplaceAll(m.Text, "\r\n", "\n"))); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}
