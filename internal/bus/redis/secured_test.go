package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"parkwire/internal/bus"
	"parkwire/internal/bus/bustest"
	"parkwire/internal/certificate"
	"parkwire/internal/redis"
)

// secured is the location of the server in the environment that speaks TLS.
func secured(t *testing.T) redis.Location {
	t.Helper()
	const url, folder = "PARKWIRE_TEST_REDIS_TLS_URL", "PARKWIRE_TEST_TLS_DIR"
	if os.Getenv(url) == "" || os.Getenv(folder) == "" {
		if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
			t.Fatalf("PARKWIRE_TEST_DISTRIBUTED=1, but %s or %s is not set", url, folder)
		}
		t.Skipf("%s names no server", url)
	}
	return redis.Location{URL: os.Getenv(url), TLS: trusting(os.Getenv(folder))}
}

// trusting believes the authority of the kit whose certificates are in a folder.
func trusting(folder string) certificate.Client {
	return certificate.Client{Setting: "redis-tls", CAFile: filepath.Join(folder, "ca.crt")}
}

// admin is a client that may do everything.
func admin(t *testing.T, where redis.Location) rueidis.Client {
	t.Helper()
	server, err := redis.Open(where, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	client, err := server.Connect(time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); server.Close() })
	return client
}

// user makes a user with the rights that docs/servers.md lists, for one channel, and returns the location as it is for them.
func user(t *testing.T, where redis.Location, channel string) redis.Location {
	t.Helper()
	name, password := "user-"+rand.Text(), "pa/ss:w@rd%21#"+rand.Text()
	client := admin(t, where)
	rights := []string{"on", ">" + password, "resetchannels", "&" + channel, "&" + channel + ":probe:*", "+@pubsub", "+@connection"}
	if err := client.Do(t.Context(), client.B().AclSetuser().Username(name).Rule(rights...).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = client.Do(context.Background(), client.B().AclDeluser().Username(name).Build()).Error() // the server may be gone
	})
	where.PasswordFile = filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(where.PasswordFile, []byte(password+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	scheme, rest, _ := strings.Cut(where.URL, "://")
	where.URL = scheme + "://" + name + "@" + rest
	return where
}

func open(t *testing.T, o Options) *Bus {
	t.Helper()
	b, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// conform runs the suite; each test has a channel of its own, on which prepare may make a user.
func conform(t *testing.T, o Options, prepare func(t *testing.T, channel string) redis.Location) {
	options := map[*testing.T]Options{}
	bustest.Run(t, func(t *testing.T) bus.Bus {
		mine, known := options[t]
		if !known {
			mine = o
			mine.Channel = "test:" + rand.Text()
			mine.Location = prepare(t, mine.Channel)
			options[t] = mine
		}
		return open(t, mine)
	})
}

func TestTheBusOverTLSAsAUserWithFewRights(t *testing.T) {
	where := secured(t)
	conform(t, Options{}, func(t *testing.T, channel string) redis.Location { return user(t, where, channel) })
}

func TestTheBusWithACertificateOfTheClient(t *testing.T) {
	where := secured(t)
	folder := filepath.Dir(where.TLS.CAFile)
	where.TLS.CertFile, where.TLS.KeyFile = filepath.Join(folder, "client.crt"), filepath.Join(folder, "client.key")
	b := open(t, Options{Location: where, Channel: "test:" + rand.Text()})
	defer b.Close()
	heard(t, b, bustest.Listen(t, b), "by TLS")
	where.TLS.CertFile, where.TLS.KeyFile = filepath.Join(folder, "other.crt"), filepath.Join(folder, "other.key")
	says(t, Options{Location: where}, "does not take the certificate of redis-tls-cert-file")
}

// says waits until a bus says why it is not ready, in words that hold want and no password.
func says(t *testing.T, o Options, want string) {
	t.Helper()
	b := open(t, o)
	defer b.Close()
	var err error
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		if err = b.Ready(); err != nil && strings.Contains(err.Error(), want) {
			break
		}
		if time.Now().After(deadline) {
			t.Errorf("it says %v, want %q", err, want)
			return
		}
	}
	if strings.Contains(err.Error(), "s3cret") {
		t.Errorf("it shows a password: %v", err)
	}
}

func TestARedisThatLetsNobodyInSaysWhichSettingIsWrong(t *testing.T) {
	where := secured(t)
	channel := "test:" + rand.Text()
	right := user(t, where, channel)
	change := func(f func(*redis.Location)) Options {
		l := right
		f(&l)
		return Options{Location: l, Channel: channel}
	}
	says(t, change(func(l *redis.Location) { l.PasswordFile, l.URL = "", strings.Replace(l.URL, "@", ":s3cret@", 1) }), "redis-password-file, right?")
	says(t, change(func(l *redis.Location) { l.TLS.CAFile = "" }), "redis-tls-ca-file")
	says(t, change(func(l *redis.Location) { l.URL = strings.Replace(l.URL, "rediss:", "redis:", 1) }), "does the server want TLS (rediss: in redis-url)?")
	says(t, Options{Location: redis.Location{URL: where.URL + "?cluster=true", TLS: where.TLS}}, "leave cluster=true out of redis-url")
	plain := Options{Location: redis.Location{URL: os.Getenv("PARKWIRE_TEST_REDIS_URL"), TLS: where.TLS}}
	plain.Location.URL = strings.Replace(plain.Location.URL, "redis:", "rediss:", 1)
	says(t, plain, "does the server speak TLS at this port")

	b := open(t, Options{Location: right, Channel: channel + "-other"})
	defer b.Close()
	waitFor(t, "a connection", func() bool { return b.Ready() == nil })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := b.Publish(ctx, []byte("x")); err == nil || !strings.Contains(err.Error(), "docs/servers.md") {
		t.Errorf("a channel that is not the user's: %v", err)
	}
	missing := right
	missing.PasswordFile = filepath.Join(t.TempDir(), "none")
	if _, err := Open(Options{Location: missing}); err == nil || !strings.Contains(err.Error(), "redis-password-file: open") {
		t.Errorf("without the file: %v", err)
	}
}

// A password that is changed, at Redis and in its file, needs no restart.
func TestThePasswordIsReadAgain(t *testing.T) {
	where := secured(t)
	channel := "test:" + rand.Text()
	right := user(t, where, channel)
	name, _, _ := strings.Cut(strings.TrimPrefix(right.URL, "rediss://"), "@")
	b := open(t, Options{Location: right, Channel: channel})
	defer b.Close()
	l := bustest.Listen(t, b)
	heard(t, b, l, "before")
	client := admin(t, where)
	if err := client.Do(t.Context(), client.B().AclSetuser().Username(name).Rule("resetpass", ">new").Build()).Error(); err != nil {
		t.Fatal(err)
	}
	if err := client.Do(t.Context(), client.B().ClientKill().User(name).Build()).Error(); err != nil {
		t.Fatal(err)
	}
	l.Connected(false)
	waitFor(t, "the refusal", func() bool { return strings.Contains(fmt.Sprint(b.Ready()), "redis-password-file") })
	if err := os.WriteFile(right.PasswordFile, []byte("new"), 0o600); err != nil {
		t.Fatal(err)
	}
	heard(t, b, l, "after")
	waitFor(t, "readiness", func() bool { return b.Ready() == nil })
}

func TestTheBusFollowsTheMasterOverTLSWithPasswords(t *testing.T) {
	t.Parallel()
	s := newSet(t, "KIT_SENTINEL_SECURE=1")
	password := filepath.Join(s.dir, "tls", "password")
	where := redis.Location{URL: s.url, TLS: trusting(filepath.Join(s.dir, "tls")), PasswordFile: password, SentinelPasswordFile: password}
	b := open(t, Options{Location: where, Channel: "followed"})
	defer b.Close()
	l := bustest.Listen(t, b)
	heard(t, b, l, "at first")
	master := s.do("master")
	s.do("kill", master)
	s.masterAfter(master)
	heard(t, b, l, "after the master was killed")
	where.SentinelPasswordFile = ""
	says(t, Options{Location: where}, "redis-sentinel-password-file")
}

// cluster is one of the test's own.
type cluster struct {
	t   *testing.T
	dir string
	url string
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	for _, program := range []string{"bash", "redis-server", "redis-cli", "setsid", "openssl"} {
		if _, err := exec.LookPath(program); err != nil {
			if os.Getenv("PARKWIRE_TEST_DISTRIBUTED") == "1" {
				t.Fatal(program, " is not installed")
			}
			t.Skip(program, " is not installed")
		}
	}
	c := &cluster{t: t, dir: t.TempDir()}
	t.Cleanup(func() { _, _ = c.try("wipe") })
	c.url = c.do("start")
	return c
}

func (c *cluster) try(args ...string) (string, error) {
	command := exec.Command("../../../test/kit/cluster.sh", args...)
	command.Env = append(os.Environ(), "KIT_DIR="+c.dir, "KIT_CLUSTER_TLS=1")
	out, err := command.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

// do runs the script of the kit.
func (c *cluster) do(args ...string) string {
	c.t.Helper()
	out, err := c.try(args...)
	if err != nil {
		c.t.Fatalf("cluster.sh %v: %v\n%s", args, err, out)
	}
	return out
}

func (c *cluster) location() redis.Location {
	return redis.Location{URL: c.url, TLS: trusting(filepath.Join(c.dir, "tls"))}
}

func TestTheBusOverACluster(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	location := func(*testing.T, string) redis.Location { return c.location() }
	t.Run("sharded", func(t *testing.T) { conform(t, Options{Sharded: true}, location) })
	t.Run("to all nodes", func(t *testing.T) { conform(t, Options{}, location) })
	t.Run("through failures", c.through)
}

// through shows that messages flow by themselves whatever happens to the node that has the channel.
func (c *cluster) through(t *testing.T) {
	c.t = t
	const channel = "followed"
	b := open(t, Options{Location: c.location(), Channel: channel, Sharded: true})
	defer b.Close()
	l := bustest.Listen(t, b)
	heard(t, b, l, "at first")
	c.do("failover", channel)
	heard(t, b, l, "after a failover by hand")
	waitFor(t, "the subscription at the new leader", func() bool { return c.subscribers(c.do("leader", channel), channel) == "1" })
	c.do("move", channel)
	heard(t, b, l, "after the slot was moved")
	waitFor(t, "the subscription at the other master", func() bool { return c.subscribers(c.do("leader", channel), channel) == "1" })
	leader := c.do("leader", channel)
	c.do("kill", leader)
	l.Connected(false)
	waitFor(t, "a new leader", func() bool { now, err := c.try("leader", channel); return err == nil && now != leader })
	heard(t, b, l, "after the leader was killed")
	c.do("start") // it comes back as a replica
	leader = c.do("leader", channel)
	c.do("pause", leader)
	l.Connected(false)
	waitFor(t, "a new leader", func() bool { now, err := c.try("leader", channel); return err == nil && now != leader })
	heard(t, b, l, "after the leader stood still")
	c.do("resume", leader)
	heard(t, b, l, "after it went on")
	c.do("start")
	waitFor(t, "readiness", func() bool { return b.Ready() == nil })
}

// subscribers is how many hear the channel on a node.
func (c *cluster) subscribers(node, channel string) string {
	c.t.Helper()
	lines := strings.Fields(c.do("cli", node, "pubsub", "shardnumsub", channel))
	return lines[len(lines)-1]
}

// Who hears the channel the other way hears nothing of the bus: that is why it must be asked for.
func TestShardedMessagesAreAKindOfTheirOwn(t *testing.T) {
	where := secured(t)
	channel := "test:" + rand.Text()
	sharded, plain := open(t, Options{Location: where, Channel: channel, Sharded: true}), open(t, Options{Location: where, Channel: channel})
	defer sharded.Close()
	defer plain.Close()
	hears, deaf := bustest.Listen(t, sharded), bustest.Listen(t, plain)
	heard(t, sharded, hears, "sharded")
	heard(t, plain, deaf, "plain")
	if hears.Has("plain") || deaf.Has("sharded") {
		t.Error("one kind is heard by the other")
	}
}
