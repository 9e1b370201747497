package config

import (
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"parkwire/internal/identity"
)

// validate checks each value by itself; what is missing depends on the target and is
// found by [Loader.Resolve].
func (l *Loader) validate() {
	c := &l.config
	l.check("listen", address(c.Listen))
	if c.ListenProxied != "" {
		l.check("listen-proxied", address(c.ListenProxied))
	}
	l.check("admin-listen", address(c.AdminListen))
	l.check("tls-cert-file", together(c.TLSCertFile, "tls-key-file", c.TLSKeyFile))
	l.check("tls-key-file", together(c.TLSKeyFile, "tls-cert-file", c.TLSCertFile))
	for _, host := range c.Hosts {
		l.check("hosts", hostName(host))
	}
	l.check("kafka-listen", fixedAddress(c.KafkaListen))
	if c.KafkaAdvertise != "" {
		l.check("kafka-advertise", hostPort(c.KafkaAdvertise))
	}
	for _, broker := range c.KafkaBrokers {
		l.check("kafka-brokers", hostPort(broker))
	}
	l.check("data-dir", notEmpty(c.DataDir))
	l.check("log-level", oneOf(c.LogLevel, "debug", "info", "warn", "error"))
	l.check("log-format", oneOf(c.LogFormat, "text", "json"))
	if c.TraceEndpoint != "" {
		l.check("trace-endpoint", scheme(c.TraceEndpoint, "http", "https"))
	}
	l.check("trace-share", atLeast(c.TraceShare, 0))
	l.check("trace-share", atMost(c.TraceShare, 1))
	l.check("trace-limit", within(c.TraceLimit, 1, 100_000))
	l.check("live-fanout", oneOf(c.LiveFanout, FanoutBus, FanoutKafka))
	// Each has a meaning of its own. A record that is no event would even be read and rejected for ever, were it put where it came from.
	var taken []string
	for _, topic := range []struct{ setting, name string }{
		{"kafka-topic", c.KafkaTopic}, {"kafka-spots-topic", c.KafkaSpotsTopic}, {"kafka-rejected-topic", c.KafkaRejectedTopic},
		{"kafka-audit-topic", c.KafkaAuditTopic}, {"kafka-access-topic", c.KafkaAccessTopic},
	} {
		l.check(topic.setting, topicName(topic.name))
		l.check(topic.setting, noneOf(topic.name, taken...))
		taken = append(taken, topic.name)
	}
	l.check("kafka-group", notEmpty(c.KafkaGroup))
	l.check("redis-channel", notEmpty(c.RedisChannel))
	l.check("kafka-partitions", within(c.KafkaPartitions, 1, 10_000))
	l.check("kafka-replication", within(c.KafkaReplication, 0, 1_000))
	l.check("rate-burst", atLeast(c.RateBurst, 1))
	l.check("rate-limit", atLeast(c.RateLimit, 0))
	l.check("body-limit", atLeast(c.BodyLimit, 1<<10))
	l.check("live-memory", atLeast(c.LiveMemory, 1<<20))
	l.check("live-client-limit", atLeast(c.LiveClientLimit, 64<<10))
	l.check("live-handshake-rate", within(c.LiveHandshakeRate, 1, 1_000_000))
	l.check("live-max-clients", within(c.LiveMaxClients, 1, 10_000_000))
	l.check("live-clients-per-address", within(c.LiveAddressLimit, 0, 10_000_000))
	l.check("live-clients-per-principal", within(c.LivePrincipalLimit, 0, 10_000_000))
	l.check("live-engine", oneOf(c.LiveEngine, "auto", "io_uring", "epoll", "goroutines"))
	l.check("live-loops", within(c.LiveLoops, 0, 1024))
	l.check("live-ping-interval", within(c.LivePingInterval, time.Second, time.Hour))
	l.check("kafka-retention", atLeast(c.KafkaRetention, time.Second))
	l.check("kafka-audit-retention", atLeast(c.KafkaAuditRetention, time.Second))
	l.check("history-retention", atLeast(c.HistoryRetention, time.Second))
	l.check("drain-delay", atLeast(c.DrainDelay, 0))
	l.check("drain-window", atLeast(c.DrainWindow, 0))
	l.check("stop-timeout", atLeast(c.StopTimeout, time.Second))
	if c.RedisURL != "" {
		l.check("redis-url", scheme(c.RedisURL, "redis", "rediss", "unix", "memory"))
	}
	if c.DatabaseURL != "" {
		l.check("database-url", scheme(c.DatabaseURL, "postgres", "postgresql", "sqlite"))
	}
	if c.MQTTURL != "" {
		l.check("mqtt-url", scheme(c.MQTTURL, "mqtt", "mqtts", "ws", "wss"))
		l.check("mqtt-topics", notEmpty(strings.Join(c.MQTTTopics, ",")))
	}
	for _, topic := range c.MQTTTopics {
		l.check("mqtt-topics", topicFilter(topic))
	}
	l.check("mqtt-share", noneIn(c.MQTTShare, "/+#"))
	for _, u := range c.ParkingURLs {
		l.check("parking-urls", instanceURL(u))
	}
	for _, u := range c.LiveURLs {
		l.check("live-urls", instanceURL(u))
	}
	l.validateFurther()
	l.validateServers()
	for _, origin := range c.CORSOrigins {
		if origin != "*" {
			l.check("cors-origins", originOf(origin))
		}
	}
	for _, origin := range c.WebSocketOrigins {
		l.check("websocket-origins", originOf(origin))
	}
	if c.DashboardTiles != "" {
		l.check("dashboard-tiles", tiles(c.DashboardTiles))
	}
	l.check("dashboard-tiles-max-zoom", within(c.DashboardTilesMaxZoom, 0, 24))
	if c.OIDCIssuer != "" {
		l.check("oidc-issuer", issuer(c.OIDCIssuer))
	}
	l.check("oidc-scopes-claim", notEmpty(strings.Join(c.OIDCScopesClaims, ",")))
	l.check("oidc-lots-claim", notEmpty(c.OIDCLotsClaim))
	for _, pair := range c.OIDCScopes {
		l.check("oidc-scopes", grant(pair))
	}
	if c.JWTKey != "" && len(c.JWTKey) < 32 {
		l.check("jwt-key", fmt.Sprintf("it has %d bytes and needs at least 32", len(c.JWTKey)))
	}
	if c.JWTKey != "" && c.JWTKeyFile != "" {
		l.check("jwt-key", "jwt-key-file is set too; set one of them")
	}
}

// check records what is wrong with a setting, unless it is "" or was wrong already.
func (l *Loader) check(name, reason string) {
	if reason == "" || slices.ContainsFunc(l.errs, func(e FieldError) bool { return e.Field == name }) {
		return
	}
	l.errs = append(l.errs, FieldError{name, l.origins[name].Source, reason, l.field(name).example})
}

func (l *Loader) field(name string) field {
	i := slices.IndexFunc(l.fields, func(f field) bool { return f.name == name })
	return l.fields[i]
}

// address is an address to listen at; the host may be empty, the port 0.
func address(text string) string {
	_, port, err := net.SplitHostPort(text)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return strconv.Quote(text) + " is no address HOST:PORT or :PORT"
	}
	return ""
}

// fixedAddress is an address to listen at that others are told, so that the port must be known before.
func fixedAddress(text string) string {
	if _, port, err := net.SplitHostPort(text); err == nil && port == "0" {
		return strconv.Quote(text) + " has the port 0, and clients could not be told where it is"
	}
	return address(text)
}

func hostPort(text string) string {
	host, port, err := net.SplitHostPort(text)
	if n, perr := strconv.ParseUint(port, 10, 16); err != nil || perr != nil || n == 0 || host == "" {
		return strconv.Quote(text) + " is no address HOST:PORT"
	}
	return ""
}

// together is for a setting that is set where another one is.
func together(text, other, otherText string) string {
	if text == "" && otherText != "" {
		return "it is missing, and " + other + " is set"
	}
	return ""
}

// hostName is what a client's header Host says, without a port. IPv6 addresses stand there in brackets, and here without.
func hostName(text string) string {
	u, err := url.Parse("http://" + text)
	if _, failed := netip.ParseAddr(text); failed == nil || err == nil && text != "" && u.Host == text && u.Port() == "" {
		return ""
	}
	return strconv.Quote(text) + " is no name or address of a host, and ports do not belong here"
}

func notEmpty(text string) string {
	if text == "" {
		return "it must not be empty"
	}
	return ""
}

func oneOf(text string, among ...string) string {
	if slices.Contains(among, text) {
		return ""
	}
	return fmt.Sprintf("%q is none of %s", text, strings.Join(among, ", ")) + DidYouMean(text, among)
}

func atLeast[N interface {
	~int | ~int64 | ~float64
}](n, least N) string {
	if n >= least { // false for a NaN too
		return ""
	}
	return fmt.Sprintf("%v is less than %v", n, least)
}

func atMost(n, most float64) string {
	if n > most {
		return fmt.Sprintf("%v is more than %v", n, most)
	}
	return ""
}

func within[N ~int | ~int64](n, least, most N) string {
	if n > most {
		return fmt.Sprintf("%v is more than %v", n, most)
	}
	return atLeast(n, least)
}

// noneOf is for names that must differ.
func noneOf(text string, others ...string) string {
	if slices.Contains(others, text) {
		return strconv.Quote(text) + " is the name of another topic already"
	}
	return ""
}

// topicName follows Kafka's own rule.
func topicName(text string) string {
	legal := func(r rune) bool {
		return r == '.' || r == '_' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	}
	if text == "" || len(text) > 249 || text == "." || text == ".." || strings.ContainsFunc(text, func(r rune) bool { return !legal(r) }) {
		return strconv.Quote(text) + " is no name of a topic: letters, digits, '.', '_' and '-', at most 249"
	}
	return ""
}

// topicFilter follows MQTT's rule for + and #.
func topicFilter(text string) string {
	levels := strings.Split(text, "/")
	for i, level := range levels {
		last := i == len(levels)-1
		if level != "+" && strings.Contains(level, "+") || strings.Contains(level, "#") && !(last && level == "#") {
			return strconv.Quote(text) + " is no filter of topics: + stands for one level, # at the end for all that follow"
		}
	}
	return ""
}

func noneIn(text, characters string) string {
	if strings.ContainsAny(text, characters) {
		return strconv.Quote(text) + " must not contain any of " + characters
	}
	return ""
}

// scheme does not repeat the value, which may hold a password.
func scheme(text string, among ...string) string {
	name, _, ok := strings.Cut(text, ":")
	if !ok || !slices.Contains(among, name) {
		return "it must begin with " + strings.Join(among, ": or ") + ":"
	}
	if name == "memory" || name == "sqlite" {
		return ""
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		return "it is no URL; characters such as @ and / in a password are written as %40 and %2F"
	case u.Opaque != "":
		return "behind " + name + ": there must be //"
	}
	return ""
}

// instanceURL is where one instance of a service is, or, with "dns+", each that has the name.
func instanceURL(text string) string {
	return httpURL(strings.TrimPrefix(text, DNSPrefix))
}

func httpURL(text string) string {
	u, err := url.Parse(text)
	if err == nil && u.User != nil {
		return "it must not hold a user or a password" // nor repeats it
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" {
		return strconv.Quote(text) + " is no URL of the form http://HOST:PORT"
	}
	return ""
}

// issuer is what a provider calls itself, to the letter. Its keys come from there, so nobody on the way may change them.
func issuer(text string) string {
	u, err := url.Parse(text)
	switch {
	case err == nil && u.User != nil:
		return "it must not hold a user or a password" // nor repeats it
	case err != nil, u.Host == "", u.RawQuery != "", u.Fragment != "", strings.ContainsAny(text, "?#"):
		return strconv.Quote(text) + " is no URL of the form https://HOST/PATH"
	case u.Scheme == "https":
		return ""
	}
	if ip, err := netip.ParseAddr(u.Hostname()); u.Scheme == "http" && (u.Hostname() == "localhost" || err == nil && ip.IsLoopback()) {
		return ""
	}
	return strconv.Quote(text) + " must begin with https://; http:// will do for this machine alone"
}

// tiles is where a map's tiles are: on the gateway's own host, or on another one, which the page's policy then names.
func tiles(text string) string {
	bare := text
	for _, part := range []string{"{z}", "{x}", "{y}"} {
		if !strings.Contains(text, part) {
			return strconv.Quote(text) + " lacks " + part
		}
		bare = strings.ReplaceAll(bare, part, "0")
	}
	bare = strings.ReplaceAll(bare, "{ratio}", "")
	u, err := url.Parse(bare)
	switch {
	case err == nil && u.User != nil:
		return "it must not hold a user or a password" // nor repeats it
	case err != nil, strings.ContainsAny(bare, "{}\\"), u.Fragment != "":
	case u.Scheme == "" && u.Host == "" && strings.HasPrefix(bare, "/"):
		return ""
	case (u.Scheme == "https" || u.Scheme == "http") && plainHost.MatchString(u.Host) && hasHost(text, u):
		return ""
	}
	return strconv.Quote(text) + " is no URL of the form https://HOST/{z}/{x}/{y}.png, in which {ratio} may stand too, for @2x"
}

var plainHost = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]+)?$`)

// hasHost reports whether the host is the same before anything was filled in.
func hasHost(text string, u *url.URL) bool {
	return strings.HasPrefix(text, u.Scheme+"://"+u.Host+"/")
}

func grant(pair string) string {
	at := strings.LastIndexByte(pair, '=')
	if at < 1 {
		return strconv.Quote(pair) + " is not of the form NAME=SCOPE"
	}
	return oneOf(pair[at+1:], identity.Scopes...)
}

func originOf(text string) string {
	u, err := url.Parse(text)
	if err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
		return strconv.Quote(text) + " is no origin of the form https://HOST"
	}
	return ""
}
