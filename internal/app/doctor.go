package app

import (
	"cmp"
	"context"
	"os"
	"slices"
	"strings"
	"time"

	"parkwire/internal/alerts"
	"parkwire/internal/audit"
	"parkwire/internal/config"
	"parkwire/internal/doctor"
	"parkwire/internal/history"
	"parkwire/internal/identity"
	"parkwire/internal/identity/oidc"
	"parkwire/internal/kafkalog"
	"parkwire/internal/mail"
	"parkwire/internal/mqtt"
	"parkwire/internal/parking/postgres"
	"parkwire/internal/parking/sqlite"
	"parkwire/internal/redis"
	"parkwire/internal/sqldb"
	"parkwire/internal/webpush"
)

// Examine looks at everything that the target of a configuration depends on, by the code with which the parts themselves reach it. It changes nothing, and
// the platform may run meanwhile. within bounds each check.
func Examine(ctx context.Context, c *config.Resolved, o Options, within time.Duration) doctor.Report {
	r := doctor.Report{Target: string(c.Target), Version: o.Version}
	x := &examination{c: c, options: o}
	x.says, x.running = doctor.Running(ctx, config.Dialable(c.AdminListen))
	r.Examine(ctx, within, x.checks()...)
	return r
}

// examination is one.
type examination struct {
	c       *config.Resolved
	options Options
	running bool   // a process of this configuration serves already
	says    string // what it says of itself
}

func (x *examination) needs(module string) bool {
	names, err := modules.order(append([]string{"server"}, x.c.Modules...))
	return err == nil && slices.Contains(names, module)
}

// checks are those of the target, in the order in which they are told.
func (x *examination) checks() (all []doctor.Check) {
	c := x.c
	add := func(name string, look func(context.Context, *doctor.Findings)) {
		all = append(all, doctor.Check{Name: name, Look: look})
	}
	if x.running {
		add("process", func(_ context.Context, f *doctor.Findings) { f.Note("it runs already, and says: %s", x.says) })
	}
	add("machine", x.machine)
	add("addresses", x.addresses)
	if c.UsesDataDir {
		add("data-dir", func(_ context.Context, f *doctor.Findings) { doctor.Folder(f, c.DataDir) })
	}
	if c.TLSCertFile != "" {
		add("certificate", func(_ context.Context, f *doctor.Findings) {
			doctor.Certificate(f, c.TLSCertFile, c.TLSKeyFile, c.Hosts, time.Now())
		})
	}
	add("keys", x.keys)
	if x.needs("log") {
		add("kafka", x.kafka)
	}
	if c.RedisURL != "" && c.RedisURL != config.Memory {
		add("redis", x.redis)
	}
	if x.needs("store") {
		add("database", x.store)
	}
	for _, s := range []struct {
		service config.Target
		url     string
		sets    []sqldb.Set
	}{
		{config.History, c.HistoryDatabaseURL, history.Sets()}, {config.Audit, c.AuditDatabaseURL, audit.Sets()}, {config.Alerts, c.AlertsDatabaseURL, alerts.Sets()},
	} {
		if x.needs(string(s.service) + "-db") {
			add(string(s.service)+" database", func(ctx context.Context, f *doctor.Findings) { x.database(ctx, f, s.service, s.url, s.sets) })
		}
	}
	if x.needs("gateway") {
		for _, behind := range []struct {
			part string
			urls []string
		}{{"parking", c.ParkingURLs}, {"live", c.LiveURLs}, {"history", c.HistoryURLs}, {"audit", c.AuditURLs}, {"alerts", c.AlertsURLs}} {
			if len(behind.urls) > 0 && !slices.Contains(behind.urls, config.InProcess) {
				add(behind.part+" instances", func(ctx context.Context, f *doctor.Findings) { x.instances(ctx, f, behind.part+"-urls", behind.urls) })
			}
		}
	}
	if c.OIDCIssuer != "" && (x.needs("gateway") || x.needs("live")) {
		add("oidc", x.provider)
	}
	if x.needs("mqtt") {
		add("mqtt", x.mqtt)
	}
	if c.AlertsSMTPURL != "" && x.needs("alerts") {
		add("mail", x.mail)
	}
	return all
}

func (x *examination) machine(ctx context.Context, f *doctor.Findings) {
	c, m := x.c, doctor.ThisMachine()
	load := doctor.Load{OwnFiles: ownFiles}
	if x.needs("live") {
		load.Clients, load.LiveMemory = c.LiveMaxClients, int64(c.LiveMemory)
	}
	if x.needs("gateway") && !slices.Contains(c.LiveURLs, config.InProcess) {
		// Names that lead nowhere are told of where instances are.
		load.Passes, load.Targets = true, len(doctor.Instances(ctx, &doctor.Findings{}, "", config.DNSPrefix, c.LiveURLs))
	}
	m.Judge(f, load)
	f.Note("it may open %d files and use %d MiB of memory; a supervisor waits at least %v for its end (drain-delay, drain-window, stop-timeout)", m.Files, m.Memory>>20,
		c.DrainDelay+c.DrainWindow+c.StopTimeout)
}

func (x *examination) addresses(ctx context.Context, f *doctor.Findings) {
	c := x.c
	addresses := [][2]string{{"listen", c.Listen}, {"listen-proxied", c.ListenProxied}, {"admin-listen", c.AdminListen}}
	if x.needs("broker") {
		addresses = append(addresses, [2]string{"kafka-listen", c.KafkaListen})
	}
	taken := map[string]string{}
	for _, a := range addresses {
		setting, address := a[0], a[1]
		if address == "" {
			continue
		}
		if other, twice := taken[address]; twice {
			f.Break("give each an address of its own", "%s and %s are both %s", other, setting, address)
			continue
		}
		taken[address] = setting
		doctor.Address(ctx, f, setting, address, x.running)
	}
	if f.Fine() {
		f.OK("%s can be served", strings.Join(values(addresses), ", "))
	}
}

func values(pairs [][2]string) (all []string) {
	for _, p := range pairs {
		if p[1] != "" {
			all = append(all, p[1])
		}
	}
	return all
}

func (x *examination) keys(_ context.Context, f *doctor.Findings) {
	c := x.c
	if c.JWTKey == "" && c.JWTKeyFile != "" && (x.needs("gateway") || x.needs("live")) {
		doctor.Secret(f, "jwt-key-file", c.JWTKeyFile, c.MakeKey, func() error { _, err := identity.ReadKeys(c.JWTKeyFile); return err })
	}
	if c.JWTKey != "" && len(c.JWTKey) < identity.MinKeyBytes {
		f.Break("head -c 32 /dev/urandom | base64 makes one", "jwt-key has %d bytes and needs at least %d", len(c.JWTKey), identity.MinKeyBytes)
	}
	if c.AuditKeyFile != "" && x.needs("audit") {
		doctor.Secret(f, "audit-key-file", c.AuditKeyFile, false, func() error { _, err := audit.ReadKey(c.AuditKeyFile); return err })
	}
	if c.AlertsVAPIDKeyFile != "" && x.needs("alerts") {
		doctor.Secret(f, "alerts-vapid-key-file", c.AlertsVAPIDKeyFile, c.MakePushKey, func() error { _, err := webpush.LoadKey(c.AlertsVAPIDKeyFile, false); return err })
	}
}

// startsBroker says whether Kafka is embedded and there only while the platform runs.
func (x *examination) startsBroker() bool {
	return slices.Contains(x.c.Modules, "broker") && !x.running
}

func (x *examination) kafka(ctx context.Context, f *doctor.Findings) {
	c := x.c
	if x.startsBroker() {
		if _, err := os.Stat(brokerFolder(c.DataDir)); err != nil {
			f.Note("the embedded one is started with the platform, and begins an empty log")
		} else {
			f.Note("the embedded one is started with the platform, with the log in %s", brokerFolder(c.DataDir))
		}
		return
	}
	log, err := kafkalog.Open(logOptions(c, x.options))
	if err != nil {
		f.Break("correct kafka-brokers", "%v", err)
		return
	}
	defer log.Close()
	e, err := log.Examine(ctx)
	doctor.Kafka(f, e, err)
}

func (x *examination) redis(ctx context.Context, f *doctor.Findings) {
	c, bus := x.c, x.needs("bridge")
	channel, key := redis.Channel{}, ""
	if bus {
		channel = redis.Channel{Name: c.RedisChannel, Sharded: c.RedisSharded}
	}
	if x.needs("limits") && c.RateLimit > 0 {
		key = c.RedisChannel + ":limit:doctor"
	}
	server, err := redis.Open(redisLocation(c), cmp.Or(channel.Name, key, c.RedisChannel), x.options.Logger)
	if err != nil {
		f.Break("correct redis-url", "%v", err)
		return
	}
	defer server.Close()
	e, err := server.Examine(ctx, channel, key)
	doctor.Redis(f, e, err, bus)
}

func (x *examination) store(ctx context.Context, f *doctor.Findings) {
	if path, ok := strings.CutPrefix(x.c.DatabaseURL, config.SQLite); ok {
		doctor.SQLite(ctx, f, path, map[string]int64{"goose_db_version": sqlite.Newest()})
		return
	}
	s, err := postgres.Open(postgres.Options{URL: x.c.DatabaseURL, PasswordFile: x.c.DatabasePasswordFile, MaxConns: x.c.DatabaseConnections, Logger: x.options.Logger})
	if err != nil {
		f.Break("correct database-url", "%v", err)
		return
	}
	defer s.Close()
	doctor.Postgres(ctx, f, doctor.Database{Setting: "database-url", Versions: map[string]int64{"goose_db_version": postgres.Newest()}, Connections: s.MaxConns()}, s.Look)
}

func (x *examination) database(ctx context.Context, f *doctor.Findings, service config.Target, url string, sets []sqldb.Set) {
	setting := string(service) + "-database-url"
	if x.c.DatabaseURL == url {
		setting = "database-url"
	}
	versions := map[string]int64{}
	path, isFile := strings.CutPrefix(url, config.SQLite)
	for _, s := range sets {
		versions[s.Table()] = s.Newest(isFile)
	}
	if isFile {
		doctor.SQLite(ctx, f, path, versions)
		return
	}
	at, err := x.c.Database(service)
	if err != nil {
		f.Break("correct "+setting, "%v", err)
		return
	}
	schema := at.Schema
	db, err := sqldb.Open(sqldb.Options{URL: at.URL, PasswordFile: at.PasswordFile, MaxConns: at.Connections, Schema: schema, Sets: sets, Logger: x.options.Logger})
	if err != nil {
		f.Break("correct "+setting, "%v", err)
		return
	}
	defer db.Close()
	doctor.Postgres(ctx, f, doctor.Database{Setting: setting, Schema: schema, MakesOwn: true, Versions: versions, Connections: db.MaxConns()}, db.Look)
}

func (x *examination) instances(ctx context.Context, f *doctor.Findings, setting string, urls []string) {
	token := ""
	if setting == "live-urls" && (x.c.JWTKey != "" || x.c.JWTKeyFile != "") {
		if v, err := Verifier(x.c); err == nil && v != nil { // what is wrong with the key is told elsewhere
			token, _ = v.Issue(identity.Principal{Subject: "doctor", Scopes: []string{identity.ScopeRead}}, time.Minute)
		}
	}
	for _, one := range doctor.Instances(ctx, f, setting, config.DNSPrefix, urls) {
		if doctor.Instance(ctx, f, setting, one) && token != "" {
			doctor.Token(ctx, f, setting, one, token)
		}
	}
}

// provider waits until it has answered, or has failed to.
func (x *examination) provider(ctx context.Context, f *doctor.Findings) {
	c := x.c
	p := oidc.New(oidc.Options{Issuer: c.OIDCIssuer, Audience: c.OIDCAudience, ScopesClaims: c.OIDCScopesClaims, Scopes: c.ScopesOf(), LotsClaim: c.OIDCLotsClaim, Logger: x.options.Logger})
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); p.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	var err error
	for {
		if err = p.Ready(); err == nil {
			f.OK("%s answers", c.OIDCIssuer)
			return
		}
		if !oidc.Unasked(err) || ctx.Err() != nil {
			break
		}
		select {
		case <-ctx.Done():
		case <-time.After(20 * time.Millisecond):
		}
	}
	f.Break("see that it runs and can be reached from here, and that oidc-issuer is to the letter what it calls itself; people who are signed in go on until their tokens end", "%v", err)
}

func (x *examination) mqtt(ctx context.Context, f *doctor.Findings) {
	c := x.c
	s, err := mqtt.New(mqtt.Options{URL: c.MQTTURL, Username: c.MQTTUsername, Password: c.MQTTPassword, PasswordFile: c.MQTTPasswordFile, ClientID: c.MQTTClientID, Topics: c.MQTTTopics, Share: c.MQTTShare, Logger: x.options.Logger})
	if err == nil {
		err = s.Try(ctx)
	}
	if err != nil {
		f.Break("see that the broker runs and can be reached from here, and takes mqtt-username and mqtt-password", "%v", err)
		return
	}
	f.OK("the broker takes this user")
}

func (x *examination) mail(ctx context.Context, f *doctor.Findings) {
	s, err := mail.New(mail.Options{URL: x.c.AlertsSMTPURL, PasswordFile: x.c.AlertsSMTPPasswordFile, From: x.c.AlertsMailFrom})
	if err == nil {
		err = s.Try(ctx)
	}
	if err != nil {
		f.Break("see that the server runs and can be reached from here, and takes the user and password of alerts-smtp-url", "%v", err)
		return
	}
	f.OK("%s takes this user", s.Host())
}
