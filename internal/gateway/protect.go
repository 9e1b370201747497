package gateway

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// protection is what every answer tells browsers unless its part says something else, as the pages do of what they load: take it for what it
// says it is, load nothing for it, show it in no frame, give it to no page of another site (which CORS may allow all the same), and tell nobody
// from where a link was followed.
var protection = [][2]string{
	{"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"},
	{"Cross-Origin-Resource-Policy", "same-origin"},
	{"Referrer-Policy", "no-referrer"},
	{"X-Content-Type-Options", "nosniff"},
	{"X-Frame-Options", "DENY"},
}

func (x *exchange) protect() {
	h := x.Header()
	for _, p := range protection {
		if h[p[0]] == nil {
			h[p[0]] = []string{p[1]}
		}
	}
	if x.strict {
		h["Strict-Transport-Security"] = []string{"max-age=31536000"}
	}
}

// isStrict reports whether a request came by TLS to a host with a name. Browsers would also keep to it for other programs on localhost.
func isStrict(r *http.Request) bool {
	if r.TLS == nil {
		return false
	}
	host := hostName(r.Host)
	_, err := netip.ParseAddr(host)
	return err != nil && host != "localhost" && !strings.HasSuffix(host, ".localhost")
}

// hostName is the host of a header Host: without its port, brackets and the dot of the root, in lower case.
func hostName(text string) string {
	host, _, err := net.SplitHostPort(text)
	if err != nil {
		host = strings.TrimSuffix(strings.TrimPrefix(text, "["), "]")
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// hostNames returns those of a list; nil where it is empty.
func hostNames(list []string) map[string]bool {
	if len(list) == 0 {
		return nil
	}
	names := map[string]bool{}
	for _, text := range list {
		names[hostName("["+text+"]")] = true
	}
	return names
}
