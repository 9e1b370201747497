package redis

import (
	"strings"
	"testing"
)

func TestAddressesOfSentinelsThatAreNoneAreRefused(t *testing.T) {
	for address, want := range map[string]string{
		"redis://a:26379?addr=b:26379":                                "need master_set",
		"redis://a:26379?master_set=":                                 "master_set is empty",
		"redis://a?master_set=m":                                      `"a" is no address HOST:PORT of a sentinel`,
		"redis://a:26379?addr=b&master_set=m":                         `"b" is no address HOST:PORT of a sentinel`,
		"redis://a:26379?addr=:26379&master_set=m":                    `":26379" is no address HOST:PORT`,
		"redis://a:26379?masterset=m":                                 `a parameter "masterset"`,
		"redis://a:26379?sentinel_password=s3cret":                    "no master_set",
		"redis://a:26379?master_set=m&sentinel_password=s3cret&db=no": "invalid database number",
		"redis://u:s3cret@a:26379?master_set=m&sentinel_password=%zz": "cannot be read",
		"unix:///run/sentinel.sock?master_set=m":                      "no socket files",
		"unix:///run/redis.sock?cluster=true":                         "no socket files",
		"redis://a:6379?addr=b:6379":                                  "those of a cluster cluster=true",
		"redis://a:6379?cluster=perhaps":                              "neither true nor false",
		"redis://a:6379?cluster=true&master_set=m":                    "both a cluster and sentinels",
	} {
		_, err := Open(Location{URL: address}, "", nil)
		switch {
		case err == nil:
			t.Errorf("%s is taken", address)
		case !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "s3cret"):
			t.Errorf("%s: %v, want it to say %q and no password", address, err, want)
		}
	}
	l, err := parse("rediss://app:pw@a:26379/3?addr=b:26380&master_set=m&sentinel_username=u&sentinel_password=p")
	if err != nil {
		t.Fatal(err)
	}
	one := l.witnesses[1]
	if l.masterName != "m" || len(l.witnesses) != 2 || one.InitAddress[0] != "b:26380" || one.Username != "u" || one.Password != "p" || one.TLSConfig == nil ||
		one.SelectDB != 0 || l.connection.Username != "app" || l.connection.Password != "pw" || l.connection.SelectDB != 3 {
		t.Errorf("it is read as %+v", l)
	}
}

func TestTheAddressOfAClusterNamesItsWitnesses(t *testing.T) {
	l, err := parse("rediss://app:pw@a?addr=b:6380&cluster=true")
	if err != nil {
		t.Fatal(err)
	}
	if !l.cluster || len(l.witnesses) != 2 || l.witnesses[0].InitAddress[0] != "a:6379" || l.witnesses[1].InitAddress[0] != "b:6380" ||
		l.witnesses[1].Username != "app" || l.witnesses[1].Password != "pw" {
		t.Errorf("it is read as %+v", l)
	}
	if l, err = parse("redis://a?cluster=false"); err != nil || l.cluster || len(l.witnesses) > 0 {
		t.Errorf("a server that is of no cluster is read as %+v, %v", l, err)
	}
}

// Redis hashes what stands between the first { and the } behind it, if that is not empty.
func TestWhatBelongsTogetherHasOneTag(t *testing.T) {
	for key, want := range map[string]string{
		"notifications": "{notifications}", "a{b}c": "a{b}c", "a{}b": "{a{}b}", "a{b": "{a{b}", "}a{b}": "}a{b}",
	} {
		if got := Together(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
}
