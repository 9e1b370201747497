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
	} {
		_, err := Open(address, nil)
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
	one := l.sentinels[1]
	if l.masterName != "m" || len(l.sentinels) != 2 || one.InitAddress[0] != "b:26380" || one.Username != "u" || one.Password != "p" || one.TLSConfig == nil ||
		one.SelectDB != 0 || l.connection.Username != "app" || l.connection.Password != "pw" || l.connection.SelectDB != 3 {
		t.Errorf("it is read as %+v", l)
	}
}
