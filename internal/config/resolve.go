package config

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Target names what a process runs.
type Target string

// The targets.
const (
	All           Target = "all"
	Gateway       Target = "gateway"
	Parking       Target = "parking"
	Notifications Target = "notifications"
	History       Target = "history"
	Audit         Target = "audit"
	Alerts        Target = "alerts"
)

// Targets lists them.
var Targets = []Target{All, Gateway, Parking, Notifications, History, Audit, Alerts}

var serves = map[Target]string{
	All: "gateway", Gateway: "gateway", Parking: "parking", Notifications: "live", History: "history", Audit: "audit", Alerts: "alerts",
}

// Resolved is a configuration in which nothing is left open: every address is filled in,
// and what the process has to provide itself is named.
type Resolved struct {
	Config
	Target Target
	// Modules are the roots of the module graph: the target, the embedded parts that
	// the addresses point to, and what carries events to the notification instances.
	Modules []string
	// Serves names the module whose handler is served at Listen.
	Serves string
	// UsesDataDir says whether the process stores anything in DataDir and so must be
	// alone there.
	UsesDataDir bool
	// MakeKey and MakePushKey say whether the key files are made where they are absent.
	MakeKey, MakePushKey bool
}

// Resolve fills in what is left open, for the target. This is the only place that decides
// what is embedded. The error is an [Errors].
func (l *Loader) Resolve(target Target) (*Resolved, error) {
	if !slices.Contains(Targets, target) {
		return nil, fmt.Errorf("there is no target %q; the targets are %v", target, Targets)
	}
	r := &Resolved{Config: l.config, Target: target, Modules: []string{string(target)}, Serves: serves[target]}
	c := &r.Config
	if target == All {
		l.embed(r)
	}
	for _, s := range c.further() {
		if target == All || target == s.target {
			l.storeFurther(r, s)
		}
	}
	log, gateway, notifies := target != Gateway, target == All || target == Gateway, target == All || target == Notifications
	bus := notifies && c.LiveFanout == FanoutBus
	if bus {
		r.Modules = append(r.Modules, "bridge")
	}
	if notifies && !bus && !gateway && c.RedisURL != "" {
		l.Warnings = append(l.Warnings, "redis-url is not used, because live-fanout is "+c.LiveFanout)
	}
	if c.MQTTURL != "" && (target == All || target == Parking) {
		l.subscribe(r)
	}
	l.require(target, "kafka-brokers", len(c.KafkaBrokers) > 0 || !log)
	l.require(target, "redis-url", c.RedisURL != "" || !bus)
	l.require(target, "database-url", c.DatabaseURL != "" || target != All && target != Parking)
	for _, s := range c.further() {
		l.require(target, string(s.target)+"-database-url", *s.databaseURL != "" || target != All && target != s.target)
	}
	l.require(target, "alerts-vapid-key-file", c.AlertsVAPIDKeyFile != "" || c.AlertsVAPIDSubject == "" || target != Alerts)
	l.require(target, "parking-urls", len(c.ParkingURLs) > 0 || !gateway)
	l.require(target, "live-urls", len(c.LiveURLs) > 0 || !gateway)
	checksTokens := gateway || target == Notifications && !c.ReadPublic
	l.require(target, "jwt-key-file", c.JWTKey != "" || c.JWTKeyFile != "" || c.OIDCIssuer != "" || !checksTokens)
	// A provider gives tokens for many programs. Those for others are not for us.
	l.require(target, "oidc-audience", c.OIDCAudience != "" || c.OIDCIssuer == "" || !gateway && target != Notifications)
	if c.OIDCClientID != "" && c.OIDCIssuer == "" {
		l.Warnings = append(l.Warnings, "oidc-client-id is not used, because oidc-issuer is empty")
	}
	if len(l.errs) > 0 {
		return nil, l.errs
	}
	l.config = r.Config // so that what is printed is what is used
	return r, nil
}

// embed fills in the addresses of what the process provides itself.
func (l *Loader) embed(r *Resolved) {
	c := &r.Config
	fill := func(name string, because string) { l.origins[name] = Origin{because} }
	if len(c.KafkaBrokers) == 0 {
		l.embedsKafka(c)
		c.KafkaBrokers = []string{Dialable(c.KafkaListen)}
		r.Modules, r.UsesDataDir = append(r.Modules, "broker"), true
		fill("kafka-brokers", "embedded, at kafka-listen")
		if c.KafkaAdvertise == "" {
			c.KafkaAdvertise = Dialable(c.KafkaListen)
			fill("kafka-advertise", "from kafka-listen")
		}
	}
	if c.RedisURL == "" && c.LiveFanout == FanoutBus {
		c.RedisURL = Memory
		fill("redis-url", "embedded")
	}
	if c.DatabaseURL == "" {
		c.DatabaseURL = SQLite + filepath.Join(c.DataDir, "parkwire.db")
		r.UsesDataDir = true
		fill("database-url", "embedded, in data-dir")
	}
	urls := map[string]*[]string{"parking-urls": &c.ParkingURLs, "live-urls": &c.LiveURLs}
	for _, s := range c.further() {
		urls[string(s.target)+"-urls"] = s.urls
	}
	for name, urls := range urls {
		if len(*urls) == 0 {
			*urls = []string{InProcess}
			fill(name, "this process")
		}
	}
	l.keyInDataDir(r)
	l.pushKey(r)
}

// subscribe adds what takes readings from an MQTT broker. Its session needs a name that is there again after a restart.
func (l *Loader) subscribe(r *Resolved) {
	r.Modules = append(r.Modules, "mqtt")
	if r.MQTTClientID == "" {
		host, err := os.Hostname()
		if err != nil {
			host = "localhost"
		}
		_, port, _ := net.SplitHostPort(r.Listen)
		r.MQTTClientID = "parkwire-" + host + "-" + port
		l.origins["mqtt-client-id"] = Origin{"from the host's name and listen"}
	}
}

// keyInDataDir lets the key be a file in the data folder unless one is configured.
func (l *Loader) keyInDataDir(r *Resolved) {
	if r.JWTKey == "" && r.JWTKeyFile == "" {
		r.JWTKeyFile = filepath.Join(r.DataDir, "jwt.key")
		r.MakeKey = true
		l.origins["jwt-key-file"] = Origin{"in data-dir"}
	}
}

// Config returns what was loaded, with nothing resolved.
func (l *Loader) Config() Config { return l.config }

// ResolveKey resolves only what `parkwire token` needs: where the key is.
func (l *Loader) ResolveKey() *Resolved {
	r := &Resolved{Config: l.config}
	l.keyInDataDir(r)
	return r
}

// ScopesOf returns which scope each name in the tokens of the provider allows; nil where they have the names of ours.
func (c Config) ScopesOf() map[string]string {
	if len(c.OIDCScopes) == 0 {
		return nil
	}
	scopes := map[string]string{}
	for _, pair := range c.OIDCScopes {
		at := strings.LastIndexByte(pair, '=')
		scopes[pair[:at]] = pair[at+1:]
	}
	return scopes
}

func (l *Loader) require(target Target, name string, met bool) {
	if met {
		return
	}
	l.errs = append(l.errs, FieldError{
		Field: name, Example: l.field(name).example,
		Reason: fmt.Sprintf("it is missing, and `parkwire %s` needs it: %s", target, firstClause(l.field(name).help)),
	})
}

// Dialable turns an address to listen at into one to connect to from the same machine.
func Dialable(listen string) string {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return net.JoinHostPort(host, port)
}
