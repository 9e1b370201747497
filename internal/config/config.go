// Package config turns flags, environment and one YAML file into a [Config], remembers
// where each value came from, and resolves which way the program runs. Nothing behind it
// asks again whether something is embedded.
package config

import (
	"net/netip"
	"time"
)

// Config is every setting. A field's tags are all there is to know about it: its name, which
// is that of the flag (--listen), of the environment variable (PARKWIRE_LISTEN) and of the key
// in YAML; its default; an example for error messages; its help; and whether it is a secret,
// which is never printed. The order is that of `parkwire config`.
type Config struct {
	Listen        string   `name:"listen" default:":5000" example:":5000" help:"address for clients: dashboard, REST and notifications"`
	ListenProxied string   `name:"listen-proxied" example:":5001" help:"address for the same clients behind proxies that only move bytes (trusted-proxies, PROXY protocol); empty: none"`
	TLSCertFile   string   `name:"tls-cert-file" example:"/etc/parkwire/tls.crt" help:"certificate, and those between it and a root, with which listen and listen-proxied speak TLS (PEM); read again when it changes; empty: no TLS"`
	TLSKeyFile    string   `name:"tls-key-file" example:"/etc/parkwire/tls.key" help:"key of that certificate (PEM)"`
	Hosts         []string `name:"hosts" example:"parking.example.org,10.0.0.5" help:"names and addresses, without ports, under which clients may reach the gateway; empty: all"`
	AdminListen   string   `name:"admin-listen" default:"127.0.0.1:9500" example:"127.0.0.1:9500" help:"address for operators: /livez, /readyz, /metrics, /debug/pprof"`
	DataDir       string   `name:"data-dir" default:"./data" example:"/var/lib/parkwire" help:"folder for what the embedded parts store"`
	LogLevel      string   `name:"log-level" default:"info" example:"info" help:"what is logged: debug, info, warn or error"`
	LogFormat     string   `name:"log-format" default:"text" example:"json" help:"how it is logged: text or json"`

	TraceEndpoint string  `name:"trace-endpoint" secret:"url" example:"http://tempo:4318" help:"collector of traces (OpenTelemetry, OTLP over HTTP); /v1/traces is added where it has no path; empty: changes are not traced"`
	TraceShare    float64 `name:"trace-share" default:"0.1" example:"1" help:"which part of requests is traced, from 0 to 1, where their callers (traceparent) do not say"`
	TraceLimit    int     `name:"trace-limit" default:"50" example:"50" help:"traces that a process begins a second, whoever asks for them"`

	KafkaBrokers        []string      `name:"kafka-brokers" example:"kafka-1:9092,kafka-2:9092" help:"Kafka servers; empty in all: the embedded one"`
	KafkaTLS            bool          `name:"kafka-tls" default:"false" example:"true" help:"whether the Kafka servers are spoken to by TLS"`
	KafkaTLSCAFile      string        `name:"kafka-tls-ca-file" example:"/etc/parkwire/kafka-ca.crt" help:"certificates of the authorities that are believed for kafka-tls (PEM); empty: those of the system"`
	KafkaTLSCertFile    string        `name:"kafka-tls-cert-file" example:"/etc/parkwire/kafka.crt" help:"certificate by which the process proves itself to Kafka (PEM); empty: none"`
	KafkaTLSKeyFile     string        `name:"kafka-tls-key-file" example:"/etc/parkwire/kafka.key" help:"key of that certificate (PEM)"`
	KafkaTLSServerName  string        `name:"kafka-tls-server-name" example:"kafka.example.org" help:"name that the certificates of the Kafka servers have; empty: each its host's"`
	KafkaSASL           string        `name:"kafka-sasl" example:"scram-sha-512" help:"how the process logs in to Kafka: plain, scram-sha-256, scram-sha-512 or oauthbearer; empty: not"`
	KafkaUsername       string        `name:"kafka-username" example:"parkwire" help:"user of that login"`
	KafkaPassword       string        `name:"kafka-password" secret:"all" example:"$(cat /run/secrets/kafka)" help:"its password"`
	KafkaPasswordFile   string        `name:"kafka-password-file" example:"/run/secrets/kafka" help:"file with that password; read anew at each login"`
	KafkaTokenFile      string        `name:"kafka-token-file" example:"/run/secrets/kafka.token" help:"file with the token for oauthbearer, which something else keeps in date; read anew at each login"`
	KafkaListen         string        `name:"kafka-listen" default:"127.0.0.1:9092" example:"127.0.0.1:9092" help:"address of the embedded Kafka server"`
	KafkaAdvertise      string        `name:"kafka-advertise" example:"parking.local:9092" help:"address at which other programs find the embedded Kafka server; empty: kafka-listen"`
	KafkaTopic          string        `name:"kafka-topic" default:"parking-events" example:"parking-events" help:"topic of the event log"`
	KafkaSpotsTopic     string        `name:"kafka-spots-topic" default:"parking-spots" example:"parking-spots" help:"compacted topic with the newest event of each spot"`
	KafkaRejectedTopic  string        `name:"kafka-rejected-topic" default:"parking-events-rejected" example:"parking-events-rejected" help:"topic for records that are no events"`
	KafkaAuditTopic     string        `name:"kafka-audit-topic" default:"parking-audit" example:"parking-audit" help:"topic that tells who changed what"`
	KafkaAccessTopic    string        `name:"kafka-access-topic" default:"parking-access" example:"parking-access" help:"compacted topic that tells which keys and tokens hold"`
	KafkaGroup          string        `name:"kafka-group" default:"notification-group" example:"notification-group" help:"consumer group of the notification service"`
	KafkaPartitions     int           `name:"kafka-partitions" default:"6" example:"6" help:"partitions of the topics when they are made"`
	KafkaReplication    int           `name:"kafka-replication" default:"0" example:"3" help:"replicas of the topics when they are made; 0: as the servers have it by default"`
	KafkaMinInSync      int           `name:"kafka-min-insync-replicas" default:"0" example:"2" help:"replicas that must have a record before it counts as written, set when the topics are made; 0: as the servers have it by default"`
	KafkaRetention      time.Duration `name:"kafka-retention" default:"168h" example:"168h" help:"how long the event log is kept, set when the topic is made"`
	KafkaRetentionSize  Bytes         `name:"kafka-retention-size" default:"0B" example:"10GiB" help:"how much of the event log is kept at most in each partition, set when the topic is made; 0: all of kafka-retention"`
	KafkaAuditRetention time.Duration `name:"kafka-audit-retention" default:"8760h" example:"8760h" help:"how long it is kept who changed what, set when the topic is made"`

	RedisURL                  string `name:"redis-url" secret:"url" example:"redis://localhost:6379" help:"bus between notification instances, unless live-fanout is kafka, and where gateways count requests together; empty in all: in memory; empty in gateway: each counts alone; by sentinels: redis://SENTINEL:26379?addr=SENTINEL:26379&master_set=NAME; of a cluster: redis://NODE:6379?addr=NODE:6379&cluster=true"`
	RedisPasswordFile         string `name:"redis-password-file" example:"/run/secrets/redis" help:"file with the password of redis-url; read anew for each connection"`
	RedisSentinelPasswordFile string `name:"redis-sentinel-password-file" example:"/run/secrets/sentinel" help:"file with the password of the sentinels; read anew for each connection"`
	RedisTLSCAFile            string `name:"redis-tls-ca-file" example:"/etc/parkwire/redis-ca.crt" help:"certificates of the authorities that are believed for rediss: (PEM); empty: those of the system"`
	RedisTLSCertFile          string `name:"redis-tls-cert-file" example:"/etc/parkwire/redis.crt" help:"certificate by which the process proves itself to Redis (PEM); empty: none"`
	RedisTLSKeyFile           string `name:"redis-tls-key-file" example:"/etc/parkwire/redis.key" help:"key of that certificate (PEM)"`
	RedisTLSServerName        string `name:"redis-tls-server-name" example:"redis.example.org" help:"name that the certificates of the Redis servers have; empty: each its host's"`
	RedisSharded              bool   `name:"redis-sharded" default:"false" example:"true" help:"whether the bus uses sharded Pub/Sub (SPUBLISH, SSUBSCRIBE), in which a cluster does not carry each message to every node; other programs on the channel must use it too"`
	RedisChannel              string `name:"redis-channel" default:"notifications" example:"notifications" help:"channel of the bus; what gateways count has keys that begin with it"`

	LiveFanout string `name:"live-fanout" default:"bus" example:"kafka" help:"how notification instances hear of events: bus (redis-url), or kafka: each follows the event log"`

	DatabaseURL          string        `name:"database-url" secret:"url" example:"postgres://parkwire:PASSWORD@localhost:5432/parkwire" help:"where lots and spots are stored; empty in all: SQLite in data-dir"`
	DatabasePasswordFile string        `name:"database-password-file" example:"/run/secrets/database" help:"file with the password of database-url; read anew for each connection"`
	DatabaseConnections  int           `name:"database-connections" default:"16" example:"16" help:"connections to PostgreSQL at most for each parking process, and one more that leads the relay"`
	HistoryRetention     time.Duration `name:"history-retention" default:"720h" example:"720h" help:"how long the history of each spot is kept"`

	MQTTURL          string   `name:"mqtt-url" secret:"url" example:"mqtts://broker.example.org" help:"MQTT broker whose messages parking services take as readings: mqtt, mqtts (TLS), ws or wss; empty: none"`
	MQTTUsername     string   `name:"mqtt-username" example:"parking@ttn" help:"user at the MQTT broker; empty: that of mqtt-url"`
	MQTTPassword     string   `name:"mqtt-password" secret:"all" example:"$(cat /run/secrets/mqtt)" help:"password of mqtt-username"`
	MQTTPasswordFile string   `name:"mqtt-password-file" example:"/run/secrets/mqtt" help:"file with that password; read anew for each connection"`
	MQTTTopics       []string `name:"mqtt-topics" default:"application/+/device/+/event/+,v3/+/devices/+/up,v3/+/devices/+/join,parkwire/observations" example:"application/+/device/+/event/up" help:"topics: those of ChirpStack, of The Things Stack, and of readings as POST observations takes them"`
	MQTTClientID     string   `name:"mqtt-client-id" example:"parking-1" help:"name of the session that the MQTT broker keeps while the process is away, the same after a restart and no other's; empty: made of the host's name and the port of listen"`
	MQTTShare        string   `name:"mqtt-share" default:"parkwire" example:"parkwire" help:"group of parking services that share the messages of the MQTT broker; empty: none, for one service and a broker without shared subscriptions (The Things Stack)"`

	ParkingURLs []string `name:"parking-urls" example:"http://parking-1:5000,http://parking-2:5000" help:"parking services behind the gateway; dns+http://NAME:PORT is one at each address of the name, which is looked up every few seconds; empty in all: the one in this process"`
	LiveURLs    []string `name:"live-urls" example:"http://live-1:5000,http://live-2:5000" help:"notification services behind the gateway, named as in parking-urls; empty in all: the one in this process"`
	HistoryURLs []string `name:"history-urls" example:"http://history-1:5000" help:"history services behind the gateway, named as in parking-urls; empty in all: the one in this process; empty in gateway: there is none"`
	AuditURLs   []string `name:"audit-urls" example:"http://audit-1:5000" help:"audit services behind the gateway, named as in parking-urls; empty in all: the one in this process; empty in gateway: there is none"`
	AlertsURLs  []string `name:"alerts-urls" example:"http://alerts-1:5000" help:"alert services behind the gateway, named as in parking-urls; empty in all: the one in this process; empty in gateway: there is none"`

	ServicesPrefix string `name:"services-prefix" default:"parkwire" example:"parkwire-north" help:"how the names of the consumer groups and PostgreSQL schemas of history, audit and alerts begin: parkwire-history and parkwire_history; another one for each platform on the same servers"`

	HistoryDatabaseURL          string        `name:"history-database-url" secret:"url" example:"postgres://parkwire:PASSWORD@localhost:5432/parkwire" help:"where the history service stores what it makes of the log, or sqlite:FILE; empty: a schema of its own in database-url where that is PostgreSQL, else, in all, a file in data-dir"`
	HistoryDatabasePasswordFile string        `name:"history-database-password-file" example:"/run/secrets/history-database" help:"file with the password of history-database-url; empty: database-password-file, where the URL is that of database-url"`
	HistoryDatabaseConnections  int           `name:"history-database-connections" default:"10" example:"10" help:"connections of the history service to PostgreSQL at most"`
	HistoryMinutesRetention     time.Duration `name:"history-minutes-retention" default:"192h" example:"192h" help:"how long rollups by minute are kept after they were recorded"`
	HistoryIntervalsRetention   time.Duration `name:"history-intervals-retention" default:"9600h" example:"9600h" help:"how long intervals and stays of spots are kept after they were recorded"`
	HistoryRollupsRetention     time.Duration `name:"history-rollups-retention" default:"0s" example:"43800h" help:"how long rollups by quarter hour are kept after they were recorded; 0: for ever"`
	FeedsOnStreet               []string      `name:"feeds-on-street" example:"main-street,station-road" help:"lots that lie on the street; feeds that must say so call all others off street"`

	AuditDatabaseURL          string        `name:"audit-database-url" secret:"url" example:"postgres://parkwire:PASSWORD@localhost:5432/parkwire" help:"where the audit service stores its chain, or sqlite:FILE; empty: a schema of its own in database-url where that is PostgreSQL, else, in all, a file in data-dir"`
	AuditDatabasePasswordFile string        `name:"audit-database-password-file" example:"/run/secrets/audit-database" help:"file with the password of audit-database-url; empty: database-password-file, where the URL is that of database-url"`
	AuditDatabaseConnections  int           `name:"audit-database-connections" default:"10" example:"10" help:"connections of the audit service to PostgreSQL at most"`
	AuditRetention            time.Duration `name:"audit-retention" default:"8760h" example:"8760h" help:"how long records of the audit chain are kept after they were recorded; 0: for ever"`
	AuditHeadInterval         time.Duration `name:"audit-head-interval" default:"1m" example:"1m" help:"how often the head of the audit chain is logged, and signed where there is a key"`
	AuditKeyFile              string        `name:"audit-key-file" example:"/run/secrets/audit.key" help:"key that signs heads of the audit chain (Ed25519, PKCS 8, PEM); empty: they are not signed"`

	AlertsDatabaseURL          string         `name:"alerts-database-url" secret:"url" example:"postgres://parkwire:PASSWORD@localhost:5432/parkwire" help:"where the alert service stores rules, decisions and deliveries, or sqlite:FILE; empty: a schema of its own in database-url where that is PostgreSQL, else, in all, a file in data-dir"`
	AlertsDatabasePasswordFile string         `name:"alerts-database-password-file" example:"/run/secrets/alerts-database" help:"file with the password of alerts-database-url; empty: database-password-file, where the URL is that of database-url"`
	AlertsDatabaseConnections  int            `name:"alerts-database-connections" default:"10" example:"10" help:"connections of the alert service to PostgreSQL at most"`
	AlertsRulesPerSubject      int            `name:"alerts-rules-per-subject" default:"100" example:"100" help:"rules that one subject may have"`
	AlertsRetention            time.Duration  `name:"alerts-retention" default:"720h" example:"720h" help:"how long decisions and deliveries are kept"`
	AlertsWebhookAllow         []netip.Prefix `name:"alerts-webhook-allow" example:"10.20.0.0/16" help:"networks that are not public to which webhooks and push services may lead all the same, and without TLS only to these; empty: none"`
	AlertsVAPIDKeyFile         string         `name:"alerts-vapid-key-file" example:"/run/secrets/vapid.key" help:"key by which push services know this platform (PEM, P-256), the same for all alert services; empty in all: vapid.key in data-dir, made at the first start"`
	AlertsVAPIDSubject         string         `name:"alerts-vapid-subject" example:"mailto:ops@example.org" help:"mailto: or https: address by which push services reach the operator; empty: nothing is sent to browsers"`
	AlertsSMTPURL              string         `name:"alerts-smtp-url" secret:"url" example:"smtps://parking:PASSWORD@mail.example.org" help:"mail server: smtps (TLS, 465), smtp (STARTTLS, 587), or smtp://HOST:25?starttls=never; empty: no mail"`
	AlertsSMTPPasswordFile     string         `name:"alerts-smtp-password-file" example:"/run/secrets/smtp" help:"file with the password of alerts-smtp-url; read anew for each message"`
	AlertsMailFrom             string         `name:"alerts-mail-from" example:"parking@example.org" help:"address from which mail is sent; needed with alerts-smtp-url"`

	JWTKey      string `name:"jwt-key" secret:"all" example:"$(head -c 32 /dev/urandom | base64)" help:"key for tokens (HS256), at least 32 bytes"`
	JWTKeyFile  string `name:"jwt-key-file" example:"/run/secrets/jwt.key" help:"file with that key, and in further lines older ones whose tokens are still taken; read again when it changes; empty in all: jwt.key in data-dir, made at the first start"`
	JWTAudience string `name:"jwt-audience" example:"parkwire-north" help:"audience that tokens must name; empty: any"`

	ReadPublic bool `name:"read-public" default:"true" example:"false" help:"whether reading needs no token"`

	OIDCIssuer        string   `name:"oidc-issuer" example:"https://login.example.org/realms/parking" help:"OpenID Connect provider whose tokens are taken besides those by jwt-key, as it names itself; empty: none"`
	OIDCAudience      string   `name:"oidc-audience" example:"https://parking.example.org/api" help:"audience that its tokens must name: what this platform is called there"`
	OIDCScopesClaims  []string `name:"oidc-scopes-claim" default:"scope,scp" example:"realm_access.roles" help:"claims that hold scopes, roles or groups, as a text with spaces or a list; a dot leads into an object"`
	OIDCScopes        []string `name:"oidc-scopes" example:"parking-staff=operate,parking-office=admin" help:"which of them allow what, each as NAME=SCOPE, and no others; empty: those that are called read, ingest, operate and admin"`
	OIDCLotsClaim     string   `name:"oidc-lots-claim" default:"lots" example:"parking.lots" help:"claim with the ids of the lots that a token is limited to; a token without it is for all"`
	OIDCClientID      string   `name:"oidc-client-id" example:"parkwire-dashboard" help:"public client at the provider by which the dashboard logs people in; empty: there is no login, and a token is asked for"`
	OIDCLoginScope    string   `name:"oidc-login-scope" default:"openid profile offline_access" example:"openid offline_access operate" help:"scopes for which the dashboard asks the provider"`
	OIDCLoginResource string   `name:"oidc-login-resource" example:"https://parking.example.org/api" help:"resource for which the dashboard asks the provider (RFC 8707), which some need to give tokens for this platform; empty: none"`

	RateLimit        float64        `name:"rate-limit" default:"500" example:"500" help:"requests a second for each client (token or address); 0: no limit"`
	RateBurst        int            `name:"rate-burst" default:"2000" example:"2000" help:"requests that a client may make at once before rate-limit holds"`
	BodyLimit        Bytes          `name:"body-limit" default:"8MiB" example:"8MiB" help:"largest body of a request"`
	TrustedProxies   []netip.Prefix `name:"trusted-proxies" default:"127.0.0.0/8,::1/128" example:"10.0.0.0/8" help:"networks of the proxies whose X-Forwarded-For is believed, and that may use listen-proxied"`
	CORSOrigins      []string       `name:"cors-origins" example:"https://signs.example.org" help:"sites whose pages may call the REST interface; * for all; empty: none"`
	WebSocketOrigins []string       `name:"websocket-origins" example:"https://signs.example.org" help:"sites whose pages may open notifications; empty: all"`

	DashboardTiles            string `name:"dashboard-tiles" example:"https://tiles.example.org/{z}/{x}/{y}.png" help:"raster tiles under the map of the dashboard, of 256 pixels; the one other host that the page asks; one that begins with / is on the gateway's own; empty: the map has spots alone"`
	DashboardTilesAttribution string `name:"dashboard-tiles-attribution" example:"© OpenStreetMap contributors" help:"who made these tiles, as the map says it (text)"`
	DashboardTilesMaxZoom     int    `name:"dashboard-tiles-max-zoom" default:"19" example:"20" help:"highest zoom that these tiles have; nearer they are enlarged"`

	LiveMemory         Bytes         `name:"live-memory" default:"64MiB" example:"256MiB" help:"recent events kept for clients that come back; older ones are read from the log"`
	LiveClientLimit    Bytes         `name:"live-client-limit" default:"1MiB" example:"1MiB" help:"how far a client may fall behind before it is closed, or, with parkwire.v1, sent only the newest of each spot"`
	LiveHandshakeRate  int           `name:"live-handshake-rate" default:"2000" example:"500" help:"clients that an instance takes a second; others are told when to come back"`
	LiveMaxClients     int           `name:"live-max-clients" default:"100000" example:"500000" help:"clients that an instance has at once; others are told when to come back"`
	LiveAddressLimit   int           `name:"live-clients-per-address" default:"0" example:"100" help:"clients at once from one address (IPv6: /64; behind trusted-proxies the one that they name); others are told when to come back; 0: no limit"`
	LivePrincipalLimit int           `name:"live-clients-per-principal" default:"0" example:"20" help:"clients at once with tokens of one subject; others are told when to come back; 0: no limit"`
	LivePingInterval   time.Duration `name:"live-ping-interval" default:"30s" example:"20s" help:"how often clients are pinged; one that is silent for three times as long is gone. To be less than proxies in front let a connection be idle"`
	LiveEngine         string        `name:"live-engine" default:"auto" example:"epoll" help:"how clients are served: io_uring, epoll, goroutines, or auto: the first of these that works; connections with TLS always have goroutines"`
	LiveLoops          int           `name:"live-loops" default:"0" example:"4" help:"goroutines that send to clients, each to a share of them; 0: as many as there are cores"`
	LiveCompression    bool          `name:"live-compression" default:"false" example:"true" help:"whether WebSockets may have frames compressed (permessage-deflate): less traffic, more work for both ends"`
	DrainDelay         time.Duration `name:"drain-delay" default:"0s" example:"5s" help:"pause between not being ready and closing, for balancers to notice"`
	DrainWindow        time.Duration `name:"drain-window" default:"10s" example:"30s" help:"time over which clients are sent away when the process ends"`
	StopTimeout        time.Duration `name:"stop-timeout" default:"20s" example:"20s" help:"longest time for the parts to end after that"`
}

// Bytes is a size. It is written as a number with an optional unit: B, KiB, MiB, GiB, KB, MB or GB.
type Bytes int64

// Origin says where a value came from.
type Origin struct {
	// Source is "default", "flag --listen", "PARKWIRE_LISTEN", "parkwire.yaml:3", or, for what
	// was resolved, the reason.
	Source string
}

// The values of live-fanout.
const (
	FanoutBus   = "bus"
	FanoutKafka = "kafka"
)

// The schemes of values that [Resolve] fills in: they name what is embedded by an
// address like any other.
const (
	DNSPrefix = "dns+"    // begins an address of parking-urls and the others that stands for every instance that has the name
	InProcess = "inproc:" // parking-urls, live-urls and the others: the service in this process
	Memory    = "memory:" // redis-url: the bus in this process
	SQLite    = "sqlite:" // database-url and the others: followed by the path of the file
)
