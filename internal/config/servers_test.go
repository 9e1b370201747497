package config_test

import (
	"errors"
	"strings"
	"testing"

	"parkwire/internal/config"
)

func TestHowServersAreSpokenToMustMakeSense(t *testing.T) {
	const brokers = "--kafka-brokers=k:9092"
	for _, c := range []struct {
		field, reason string
		args          []string
	}{
		{"kafka-tls-ca-file", "kafka-tls is not", []string{brokers, "--kafka-tls-ca-file=/ca"}},
		{"kafka-tls-key-file", "kafka-tls-cert-file is set", []string{brokers, "--kafka-tls", "--kafka-tls-cert-file=/c"}},
		{"kafka-sasl", "none of plain", []string{brokers, "--kafka-sasl=gssapi", "--kafka-username=u", "--kafka-password=p"}},
		{"kafka-username", "it is missing", []string{brokers, "--kafka-sasl=plain", "--kafka-password=p"}},
		{"kafka-password-file", "it is missing", []string{brokers, "--kafka-sasl=scram-sha-256", "--kafka-username=u"}},
		{"kafka-password-file", "kafka-password is set too", []string{brokers, "--kafka-sasl=plain", "--kafka-username=u", "--kafka-password=s3cret", "--kafka-password-file=/p"}},
		{"kafka-token-file", "it is missing", []string{brokers, "--kafka-sasl=oauthbearer"}},
		{"kafka-username", "no meaning with kafka-sasl oauthbearer", []string{brokers, "--kafka-sasl=oauthbearer", "--kafka-token-file=/t", "--kafka-username=u"}},
		{"kafka-username", "kafka-sasl is not", []string{brokers, "--kafka-username=u"}},
		{"kafka-min-insync-replicas", "nothing could ever be written", []string{brokers, "--kafka-replication=1", "--kafka-min-insync-replicas=2"}},
		{"kafka-retention-size", "less than 1MiB", []string{brokers, "--kafka-retention-size=1KiB"}},
		{"redis-tls-ca-file", "begin that with rediss:", []string{"--redis-url=redis://r", "--redis-tls-ca-file=/ca"}},
		{"redis-tls-cert-file", "redis-tls-key-file is set", []string{"--redis-url=rediss://r", "--redis-tls-key-file=/k"}},
		{"redis-password-file", "redis-url has a password too", []string{"--redis-url=redis://u:s3cret@r", "--redis-password-file=/p"}},
		{"redis-sentinel-password-file", "names no sentinels", []string{"--redis-url=redis://r", "--redis-sentinel-password-file=/p"}},
		{"database-password-file", "database-url has a password too", []string{"--database-url=postgres://u:s3cret@h/d", "--database-password-file=/p"}},
		{"database-password-file", "database-url has a password too", []string{"--database-url=postgres://h/d?password=s3cret", "--database-password-file=/p"}},
		{"database-password-file", "has no password", []string{"--database-url=sqlite:/x.db", "--database-password-file=/p"}},
		{"history-database-password-file", "history-database-url has a password too", []string{"--history-database-url=postgres://u:s3cret@h/d", "--history-database-password-file=/p"}},
		{"alerts-smtp-url", "alerts-smtp-password-file is set too", []string{"--alerts-smtp-url=smtps://u:s3cret@h", "--alerts-smtp-password-file=/p", "--alerts-mail-from=a@example.org"}},
		{"mqtt-password-file", "mqtt-password is set too", []string{"--mqtt-url=mqtt://h", "--mqtt-username=u", "--mqtt-password=s3cret", "--mqtt-password-file=/p"}},
		{"database-connections", "2 is less than 3", []string{"--database-connections=2"}},
	} {
		_, err := sources{args: c.args}.load(t)
		var errs config.Errors
		if !errors.As(err, &errs) || len(errs) != 1 || errs[0].Field != c.field || !strings.Contains(errs[0].Reason, c.reason) || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%v: %v, want %s to say %q, and no password", c.args, err, c.field, c.reason)
		}
	}
	for _, args := range [][]string{
		{brokers, "--kafka-tls", "--kafka-sasl=scram-sha-512", "--kafka-username=u", "--kafka-password-file=/p", "--kafka-replication=3", "--kafka-min-insync-replicas=2"},
		{brokers, "--kafka-tls", "--kafka-tls-cert-file=/c", "--kafka-tls-key-file=/k", "--kafka-tls-ca-file=/ca", "--kafka-tls-server-name=k"},
		{brokers, "--kafka-tls", "--kafka-sasl=oauthbearer", "--kafka-token-file=/t"},
		{"--redis-url=rediss://u@a?addr=b:6379&cluster=true", "--redis-password-file=/p", "--redis-tls-ca-file=/ca", "--redis-sharded"},
		{"--redis-url=rediss://u@a:1?master_set=m&sentinel_username=s", "--redis-password-file=/p", "--redis-sentinel-password-file=/s"},
		{"--database-url=postgres://u@h/d?sslmode=verify-full", "--database-password-file=/p"},
		{"--alerts-smtp-url=smtps://u@h", "--alerts-smtp-password-file=/p", "--alerts-mail-from=a@example.org"},
	} {
		if l, err := (sources{args: args}).load(t); err != nil || len(l.Warnings) > 0 {
			t.Errorf("%v: %v, %v", args, err, l.Warnings)
		}
	}
}

// Who says how to log in to Kafka means servers, and not the broker in the process, where everything would be written elsewhere.
func TestTheEmbeddedBrokerHasNoLogins(t *testing.T) {
	l, err := sources{args: []string{"--kafka-tls", "--kafka-sasl=plain", "--kafka-username=u", "--kafka-password=p"}}.load(t)
	if err != nil {
		t.Fatal(err)
	}
	_, err = l.Resolve(config.All)
	if err == nil || strings.Count(err.Error(), "kafka-brokers names none") != 2 {
		t.Errorf("got %v", err)
	}
}

func TestAPasswordThatAnybodyCanReadIsWarnedOf(t *testing.T) {
	l, err := sources{args: []string{"--kafka-brokers=k:9092", "--kafka-sasl=plain", "--kafka-username=u", "--kafka-password=p"}}.load(t)
	if err != nil || len(l.Warnings) != 1 || !strings.Contains(l.Warnings[0], "can be read on the network") {
		t.Errorf("%v, %v", err, l.Warnings)
	}
}
