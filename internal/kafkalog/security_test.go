package kafkalog_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"parkwire/internal/event"
	"parkwire/internal/kafkalog"
	"parkwire/internal/kafkalog/logtest"
	"parkwire/internal/secret"
)

// Everything that the platform does with Kafka, once, on every way in, with no more rights than are documented.
func TestTheLogIsUsedBehindTLSAndLogins(t *testing.T) {
	logtest.EachSecured(t, func(t *testing.T, s logtest.Secured) {
		l := logtest.Open(t, s.Options(t))
		logtest.Ensure(t, l)
		if s.Open != nil {
			deleteGroup(t, s.Open, l)
		}
		c := member(t, l)
		defer c.Close()
		ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
		defer cancel()
		const n = 20
		var messages []kafkalog.Message
		for i := range n {
			messages = append(messages, kafkalog.Message{Topic: l.Topic(), Key: fmt.Appendf(nil, "key-%d", i), Value: fmt.Appendf(nil, "%d", i)})
		}
		for _, r := range producer(t, l).Send(ctx, logtest.Patience, messages...) {
			if r.Err != nil {
				t.Fatal(r.Err)
			}
		}
		if got := len(logtest.All(t, l)); got != n {
			t.Errorf("%d of %d records are read", got, n)
		}
		if got := poll(t, c, n); len(got) != n {
			t.Errorf("%d of %d records come to the group", len(got), n)
		}
		c.Done()
		heads, err := l.Heads(ctx)
		if err != nil {
			t.Fatal(err)
		}
		heard := 0
		followed, enough := context.WithCancel(ctx)
		defer enough()
		err = l.Follow(followed, event.NewOffsets(len(heads)), func(kafkalog.Record) {
			if heard++; heard == n {
				enough()
			}
		})
		if heard != n || !errors.Is(err, context.Canceled) {
			t.Errorf("%d of %d records are followed: %v", heard, n, err)
		}
		if err := l.Ready(); err != nil {
			t.Error(err)
		}
	})
}

func withoutCertificate(t *testing.T, s logtest.Secured) kafkalog.Options {
	o := s.Options(t)
	o.Security.TLS.CertFile, o.Security.TLS.KeyFile = "", ""
	return o
}

// readiness waits until a log says why it is not ready in words that hold want.
func readiness(t *testing.T, o kafkalog.Options, want string) {
	t.Helper()
	l := logtest.Open(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = l.EnsureTopics(ctx) }()
	defer func() { cancel(); <-ended }()
	last := ""
	for deadline := time.Now().Add(logtest.Patience); ; time.Sleep(20 * time.Millisecond) {
		if err := l.Ready(); err != nil {
			last = err.Error()
		}
		if strings.Contains(last, want) {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("it says %q, want %q", last, want)
			return
		}
	}
	if strings.Contains(last, "s3cret") {
		t.Errorf("it shows a password: %s", last)
	}
}

func TestKafkaThatLetsNobodyInSaysWhichSettingIsWrong(t *testing.T) {
	wrong := secret.Text{Value: "s3cret"}
	t.Run("embedded", func(t *testing.T) {
		s := logtest.InProcess(t, kafkalog.Scram256)
		o := s.Options(t)
		o.Security.TLS = nil
		readiness(t, o, "TLS (kafka-tls)")
		o = s.Options(t)
		o.Security.TLS.CAFile = ""
		readiness(t, o, "kafka-tls-ca-file")
		s = logtest.InProcess(t, kafkalog.Plain)
		o = s.Options(t)
		o.Security.Password = wrong // this broker says nothing and hangs up
		readiness(t, o, "kafka-username")
		o = s.Options(t)
		o.Security.Mechanism = ""
		readiness(t, o, "a login (kafka-sasl)")
		o.Security.Mechanism, o.Security.Token = kafkalog.OAuthBearer, wrong
		readiness(t, o, "do not offer what kafka-sasl says, oauthbearer")
		readiness(t, withoutCertificate(t, logtest.InProcess(t, "")), "kafka-tls-cert-file")
	})
	t.Run("kafka", func(t *testing.T) {
		s := logtest.Servers(t, kafkalog.Scram512)
		o := s.Options(t)
		o.Security.Password = wrong
		readiness(t, o, "are kafka-username parkwire and kafka-password right")
		o = s.Options(t)
		o.Security.TLS = nil
		readiness(t, o, "TLS (kafka-tls)")
		o = s.Options(t)
		o.Security.Mechanism = ""
		readiness(t, o, "a login (kafka-sasl)")
		o = s.Options(t)
		o.Brokers, o.Security.TLS = s.Open, s.Security.TLS
		readiness(t, o, "does the server speak TLS at this port")
		readiness(t, withoutCertificate(t, logtest.Servers(t, "")), "kafka-tls-cert-file and kafka-tls-key-file")
		expired := logtest.Servers(t, kafkalog.OAuthBearer).Options(t)
		expired.Security.Token = secret.Text{Value: logtest.Token("parkwire", time.Now().Add(-time.Minute))}
		readiness(t, expired, "kafka-token-file")
	})
}

// Who may not make topics is told how somebody else makes them.
func TestTopicsThatMayNotBeMadeAreDescribed(t *testing.T) {
	s := logtest.Servers(t, kafkalog.Scram256)
	o := s.Options(t)
	o.Topic = "other-" + o.Topic
	logtest.Allow(t, s.Open, "User:parkwire", "other-", kadm.OpDescribe)
	o.Replication, o.MinInSync, o.RetentionBytes = 3, 2, 1<<30
	readiness(t, o, "kafka-topics.sh --create --topic "+o.Topic+" --partitions 3 --replication-factor 3 --config cleanup.policy=delete "+
		"--config min.insync.replicas=2 --config retention.bytes=1073741824 --config retention.ms=604800000")
}

// A password that is changed, at Kafka and in its file, needs no restart.
func TestThePasswordIsReadAgain(t *testing.T) {
	s := logtest.InProcess(t, kafkalog.Scram512)
	right, err := s.Security.Password.Read()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "password")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("that of before")
	o := s.Options(t)
	o.Security.Password.File = file
	l := logtest.Open(t, o)
	made := make(chan error, 1)
	go func() { made <- l.EnsureTopics(t.Context()) }()
	logtest.Eventually(t, "the refusal", func() bool { err := l.Ready(); return err != nil && strings.Contains(err.Error(), "kafka-username") })
	write(right)
	select {
	case err := <-made:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(logtest.Patience):
		t.Fatalf("the new password is not taken: %v", l.Ready())
	}
	logtest.Eventually(t, "readiness", func() bool { return l.Ready() == nil })
}

func TestAFileThatIsMissingIsSaidAtTheStart(t *testing.T) {
	s := logtest.InProcess(t, kafkalog.Plain)
	o := s.Options(t)
	o.Security.Password.File = filepath.Join(t.TempDir(), "none")
	if _, err := kafkalog.Open(o); err == nil || !strings.Contains(err.Error(), "kafka-password-file: open ") {
		t.Errorf("got %v", err)
	}
	o = s.Options(t)
	o.Security.TLS.CAFile = filepath.Join(t.TempDir(), "none")
	if _, err := kafkalog.Open(o); err == nil || !strings.Contains(err.Error(), "kafka-tls-ca-file: open ") {
		t.Errorf("got %v", err)
	}
	o = s.Options(t)
	o.Security.TLS.CAFile = ""
	o.Security.Mechanism = "gssapi"
	if _, err := kafkalog.Open(o); err == nil || !strings.Contains(err.Error(), "kafka-sasl") {
		t.Errorf("got %v", err)
	}
}

func TestTopicsAreMadeAsTheSettingsSay(t *testing.T) {
	logtest.Each(t, func(t *testing.T, brokers []string) {
		o := logtest.Options(t, brokers)
		o.MinInSync, o.Retention, o.RetentionBytes, o.AuditRetention = 1, time.Hour, 5<<20, 2*time.Hour
		l := logtest.Open(t, o)
		logtest.Ensure(t, l)
		for topic, want := range map[string]string{
			o.Topic:         "cleanup.policy=delete min.insync.replicas=1 retention.bytes=5242880 retention.ms=3600000",
			o.RejectedTopic: "cleanup.policy=delete min.insync.replicas=1 retention.bytes=-1 retention.ms=3600000",
			o.AuditTopic:    "cleanup.policy=delete min.insync.replicas=1 retention.bytes=-1 retention.ms=7200000",
			o.SpotsTopic:    "cleanup.policy=compact min.insync.replicas=1 retention.bytes=-1 retention.ms=-1",
			o.AccessTopic:   "cleanup.policy=compact min.insync.replicas=1 retention.bytes=-1 retention.ms=-1",
		} {
			if got := configOf(t, brokers, topic); got != want {
				t.Errorf("%s has %s, want %s", topic, got, want)
			}
		}
		o.Replication = 100
		o.Topic += "-more"
		readiness(t, o, "kafka-replication must be no more than there are servers")
	})
}

// configOf is what matters of a topic's configuration.
func configOf(t *testing.T, brokers []string, topic string) string {
	t.Helper()
	client := logtest.Client(t, brokers)
	defer client.Close()
	ctx, cancel := context.WithTimeout(t.Context(), logtest.Patience)
	defer cancel()
	var described kadm.ResourceConfigs
	logtest.Eventually(t, "the configuration of "+topic, func() (ok bool) { // a server hears of a topic when it was made elsewhere
		var err error
		described, err = kadm.NewClient(client).DescribeTopicConfigs(ctx, topic)
		return err == nil && described[0].Err == nil
	})
	var got []string
	for _, name := range []string{"cleanup.policy", "min.insync.replicas", "retention.bytes", "retention.ms"} {
		value := "-"
		for _, c := range described[0].Configs {
			if c.Key == name && c.Value != nil {
				value = *c.Value
			}
		}
		got = append(got, name+"="+value)
	}
	return strings.Join(got, " ")
}
