package config

import (
	"fmt"
	"net/url"
	"strings"

	"parkwire/internal/kafkalog"
)

// validateServers checks how Kafka, Redis, PostgreSQL and others are spoken to.
func (l *Loader) validateServers() {
	c := &l.config
	l.validateKafka()
	tls := strings.HasPrefix(c.RedisURL, "rediss:")
	for _, s := range []named{
		{"redis-tls-ca-file", c.RedisTLSCAFile}, {"redis-tls-cert-file", c.RedisTLSCertFile}, {"redis-tls-key-file", c.RedisTLSKeyFile},
		{"redis-tls-server-name", c.RedisTLSServerName},
	} {
		if s.text != "" && c.RedisURL != "" && !tls {
			l.check(s.name, "it is set, and redis-url is without TLS: begin that with rediss:")
		}
	}
	l.pair("redis-tls", c.RedisTLSCertFile, c.RedisTLSKeyFile)
	if c.RedisSentinelPasswordFile != "" && c.RedisURL != "" {
		l.check("redis-sentinel-password-file", hasParameter(c.RedisURL, "master_set", "redis-url names no sentinels (master_set)"))
		l.check("redis-sentinel-password-file", lacksParameter(c.RedisURL, "sentinel_password", "redis-url has a sentinel_password too; set one of them"))
	}
	for _, s := range []struct{ url, text, file, name string }{
		{"redis-url", c.RedisURL, c.RedisPasswordFile, "redis-password-file"},
		{"database-url", c.DatabaseURL, c.DatabasePasswordFile, "database-password-file"},
		{"history-database-url", c.HistoryDatabaseURL, c.HistoryDatabasePasswordFile, "history-database-password-file"},
		{"audit-database-url", c.AuditDatabaseURL, c.AuditDatabasePasswordFile, "audit-database-password-file"},
		{"alerts-database-url", c.AlertsDatabaseURL, c.AlertsDatabasePasswordFile, "alerts-database-password-file"},
	} {
		if s.file != "" && s.text != "" {
			l.check(s.name, onePassword(s.url, s.text))
		}
	}
	if c.MQTTPasswordFile != "" && c.MQTTPassword != "" {
		l.check("mqtt-password-file", "mqtt-password is set too; set one of them")
	}
	for _, s := range []struct {
		name string
		n    int
	}{
		{"database-connections", c.DatabaseConnections}, {"history-database-connections", c.HistoryDatabaseConnections},
		{"audit-database-connections", c.AuditDatabaseConnections}, {"alerts-database-connections", c.AlertsDatabaseConnections},
	} {
		l.check(s.name, within(s.n, 3, 10_000)) // one reads the log, one serves, one asks whether the server lives
	}
}

// named is a setting.
type named struct{ name, text string }

func (l *Loader) validateKafka() {
	c := &l.config
	for _, s := range []named{
		{"kafka-tls-ca-file", c.KafkaTLSCAFile}, {"kafka-tls-cert-file", c.KafkaTLSCertFile}, {"kafka-tls-key-file", c.KafkaTLSKeyFile},
		{"kafka-tls-server-name", c.KafkaTLSServerName},
	} {
		if s.text != "" && !c.KafkaTLS {
			l.check(s.name, "it is set, and kafka-tls is not: set that to true")
		}
	}
	l.pair("kafka-tls", c.KafkaTLSCertFile, c.KafkaTLSKeyFile)
	if c.KafkaSASL != "" {
		l.check("kafka-sasl", oneOf(c.KafkaSASL, kafkalog.Mechanisms...))
	}
	login, token := c.KafkaSASL != "", c.KafkaSASL == kafkalog.OAuthBearer
	for _, s := range []named{
		{"kafka-username", c.KafkaUsername}, {"kafka-password", c.KafkaPassword}, {"kafka-password-file", c.KafkaPasswordFile}, {"kafka-token-file", c.KafkaTokenFile},
	} {
		switch {
		case s.text != "" && !login:
			l.check(s.name, "it is set, and kafka-sasl is not: how does the process log in?")
		case s.text != "" && token != (s.name == "kafka-token-file"):
			l.check(s.name, "it has no meaning with kafka-sasl "+c.KafkaSASL)
		}
	}
	switch {
	case token && c.KafkaTokenFile == "":
		l.check("kafka-token-file", "it is missing, and kafka-sasl is oauthbearer")
	case login && !token && c.KafkaUsername == "":
		l.check("kafka-username", "it is missing, and kafka-sasl is "+c.KafkaSASL)
	case login && !token && c.KafkaPassword == "" && c.KafkaPasswordFile == "":
		l.check("kafka-password-file", "it is missing, and kafka-sasl is "+c.KafkaSASL)
	case c.KafkaPassword != "" && c.KafkaPasswordFile != "":
		l.check("kafka-password-file", "kafka-password is set too; set one of them")
	}
	if !c.KafkaTLS && (c.KafkaSASL == kafkalog.Plain || token) {
		l.Warnings = append(l.Warnings, "kafka-sasl is "+c.KafkaSASL+" and kafka-tls is not set: what the process logs in with can be read on the network")
	}
	l.check("kafka-min-insync-replicas", within(c.KafkaMinInSync, 0, 1_000))
	if c.KafkaReplication > 0 && c.KafkaMinInSync > c.KafkaReplication {
		l.check("kafka-min-insync-replicas", fmt.Sprintf("it is %d, and kafka-replication %d: nothing could ever be written", c.KafkaMinInSync, c.KafkaReplication))
	}
	if c.KafkaRetentionSize != 0 {
		l.check("kafka-retention-size", atLeast(c.KafkaRetentionSize, 1<<20))
	}
}

// embedsKafka refuses what has no meaning with the embedded broker: who sets it means servers elsewhere.
func (l *Loader) embedsKafka(c *Config) {
	const elsewhere = "it is about Kafka servers elsewhere, and kafka-brokers names none"
	if c.KafkaTLS {
		l.check("kafka-tls", elsewhere)
	}
	if c.KafkaSASL != "" {
		l.check("kafka-sasl", elsewhere)
	}
}

// pair checks that a certificate and its key are named together.
func (l *Loader) pair(begin, cert, key string) {
	l.check(begin+"-cert-file", together(cert, begin+"-key-file", key))
	l.check(begin+"-key-file", together(key, begin+"-cert-file", cert))
}

// onePassword is for a file with the password of a URL.
func onePassword(setting, text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "" // the URL's own error
	}
	_, has := u.User.Password()
	switch {
	case has || u.Query().Has("password"):
		return setting + " has a password too; set one of them"
	case u.Scheme == "sqlite" || u.Scheme == "memory":
		return setting + " is " + u.Scheme + ":, which has no password"
	}
	return ""
}

func hasParameter(text, name, otherwise string) string {
	if u, err := url.Parse(text); err == nil && !u.Query().Has(name) {
		return otherwise
	}
	return ""
}

func lacksParameter(text, name, otherwise string) string {
	if u, err := url.Parse(text); err == nil && u.Query().Has(name) {
		return otherwise
	}
	return ""
}
