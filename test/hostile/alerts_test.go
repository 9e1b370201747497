package hostile

import (
	"fmt"
	"net/http"
	"strings"
	"time"
)

// hook adds a webhook whose address is what is tried.
func hook(url string) func(*world) string {
	return post("/api/v1/alerts/channels", `{"kind":"webhook","url":"`+url+`"}`).send
}

func addChannel(body string) func(*world) string {
	return post("/api/v1/alerts/channels", body).send
}

// pushTo adds a browser whose push service is what is tried.
func pushTo(url string) func(*world) string {
	return addChannel(`{"kind":"push","subscription":{"endpoint":"` + url + `","keys":{"p256dh":"BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}}`)
}

// inwardByName leads a webhook inward by a name, which is seen when something is sent.
func inwardByName(w *world) string {
	var channel, test struct{ ID, DeliveryID string }
	w.admin.Do(w.t, http.StatusCreated, "POST", "/api/v1/alerts/channels", map[string]any{"kind": "webhook", "url": "https://localhost:9500/metrics"}, &channel)
	defer w.admin.Do(w.t, http.StatusNoContent, "DELETE", "/api/v1/alerts/channels/"+channel.ID, nil, nil)
	w.admin.Do(w.t, http.StatusAccepted, "POST", "/api/v1/alerts/channels/"+channel.ID+"/test", nil, &test)
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(20 * time.Millisecond) {
		var list struct {
			Items []struct {
				Error    string
				Attempts int
			}
		}
		w.admin.Do(w.t, http.StatusOK, "GET", "/api/v1/alerts/deliveries?channel="+channel.ID, nil, &list)
		if len(list.Items) == 1 && list.Items[0].Attempts > 0 && list.Items[0].Error != "" {
			return fmt.Sprintf("taken, and when something is sent (%s)", list.Items[0].Error)
		}
	}
	return "nothing was tried"
}

var outwards = group{
	title: "Where alerts are to be sent",
	about: "Channels of alerts, with a good token; `alerts-webhook-allow` is empty. Webhooks, where nothing else is said.",
	attacks: []attack{
		{"no address", addChannel(`{"kind":"webhook"}`), "400 invalid-field (url)", ""},
		{"without TLS", hook("http://example.org/"), "400 invalid-field (url)", ""},
		{"this machine", hook("https://127.0.0.1:9500/metrics"), "400 invalid-field (url)", ""},
		{"the same without TLS", hook("http://127.0.0.1:9500/metrics"), "400 invalid-field (url)", ""},
		{"the same in IPv6", hook("https://[::1]:9500/metrics"), "400 invalid-field (url)", ""},
		{"the same, mapped", hook("https://[::ffff:127.0.0.1]:9500/metrics"), "400 invalid-field (url)", ""},
		{"the same, mapped and in hexadecimal", hook("https://[::ffff:7f00:1]:9500/metrics"), "400 invalid-field (url)", ""},
		{"no address at all (0.0.0.0)", hook("https://0.0.0.0:9500/metrics"), "400 invalid-field (url)", ""},
		{"a private network", hook("https://10.0.0.1/"), "400 invalid-field (url)", ""},
		{"a private network through NAT64", hook("https://[64:ff9b::a00:1]/"), "400 invalid-field (url)", ""},
		{"a private network through 6to4", hook("https://[2002:a00:1::1]/"), "400 invalid-field (url)", ""},
		{"a private network of IPv6", hook("https://[fd00::1]/"), "400 invalid-field (url)", ""},
		{"the metadata of a cloud", hook("https://169.254.169.254/latest/meta-data/"), "400 invalid-field (url)", ""},
		{"the metadata of another cloud", hook("https://[fd00:ec2::254]/"), "400 invalid-field (url)", ""},
		{"an address of a provider's NAT", hook("https://100.64.0.1/"), "400 invalid-field (url)", ""},
		{"link local, with a zone", hook("https://[fe80::1%25eth0]/"), "400 invalid-field (url)", ""},
		{"multicast", hook("https://224.0.0.1/"), "400 invalid-field (url)", ""},
		{"a mail server's port", hook("https://1.1.1.1:25/"), "400 invalid-field (url)", ""},
		{"a port that there is not", hook("https://example.org:99999/"), "400 invalid-field (url)", ""},
		{"a name that leads to this machine", inwardByName, "taken, and when something is sent (its name leads to no public address)", ""},
		{"user and password", hook("https://user:" + hidden + "@example.org/"), "400 invalid-field (url)", ""},
		{"a fragment", hook("https://example.org/#x"), "400 invalid-field (url)", ""},
		{"a file", hook("file:///etc/passwd"), "400 invalid-field (url)", ""},
		{"gopher", hook("gopher://127.0.0.1:6379/_FLUSHALL"), "400 invalid-field (url)", ""},
		{"a line feed", hook(`https://example.org/\r\nX-Evil: 1`), "400 invalid-field (url)", ""},
		{"2,100 characters", hook("https://example.org/" + strings.Repeat("a", 2080)), "400 invalid-field (url)", ""},
		{"a secret that is chosen", addChannel(`{"kind":"webhook","url":"https://example.org/","secret":"` + hidden + `"}`), "400 unknown-field (secret)", ""},
		{"a push service inside", pushTo("https://10.0.0.1/push"), "400 invalid-field (subscription.endpoint)", ""},
		{"a push service without TLS", pushTo("http://example.org/push"), "400 invalid-field (subscription.endpoint)", ""},
		{"two mailboxes", addChannel(`{"kind":"mail","address":"a@example.org, b@example.org"}`), "400 invalid-field (address)", ""},
		{"a mailbox with a line feed", addChannel(`{"kind":"mail","address":"a@example.org\r\nBcc: b@example.org"}`), "400 invalid-field (address)", ""},
		{"a channel of another", get("/api/v1/alerts/channels/019ab3c1-5d7b-7cc2-9b1e-0d5b6a1f2c40").send, "404 channel-not-found", ""},
		{"a test of one", post("/api/v1/alerts/channels/019ab3c1-5d7b-7cc2-9b1e-0d5b6a1f2c40/test", "").send, "404 channel-not-found", ""},
		{"channels, without a token", get("/api/v1/alerts/channels").anonymously, "401 token-required", ""},
	},
}
