package redis

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/rueidis"
)

// What a URL may say behind its "?". The names are those of rueidis, but for the sentinels' user and password.
const (
	masterSet        = "master_set"
	sentinelUser     = "sentinel_username"
	sentinelPassword = "sentinel_password"
	cluster          = "cluster"
)

var parameters = []string{
	"addr", "client_cache", "client_name", cluster, "db", "dial_timeout", masterSet, "max_retries", "protocol",
	sentinelPassword, sentinelUser, "skip_verify", "write_timeout",
}

// location is where Redis is. With sentinels, or in a cluster, the address that is used is what the witnesses say.
type location struct {
	connection rueidis.ClientOption
	witnesses  []rueidis.ClientOption // one for each; none for one server
	masterName string                 // that sentinels know
	cluster    bool
}

// parse reads a URL. No error repeats a password.
func parse(text string) (location, error) {
	l, err := locate(text)
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err // the rest repeats the URL
	}
	if err != nil {
		return location{}, fmt.Errorf("not an address of Redis, such as redis://localhost:6379, or of its sentinels, "+
			"such as redis://sentinel-1:26379?addr=sentinel-2:26379&master_set=parkwire: %w", err)
	}
	return l, nil
}

func locate(text string) (location, error) {
	connection, err := rueidis.ParseURL(text)
	if err != nil {
		return location{}, err
	}
	u, err := url.Parse(text)
	if err != nil {
		return location{}, err
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return location{}, errors.New(`what stands behind the "?" cannot be read`)
	}
	for _, name := range slices.Sorted(maps.Keys(query)) {
		if !slices.Contains(parameters, name) {
			return location{}, fmt.Errorf("it has a parameter %q, and there are only %s", name, strings.Join(parameters, ", "))
		}
	}
	l := location{connection: connection, masterName: query.Get(masterSet)}
	l.connection.Sentinel.MasterSet = "" // rueidis would look for the master itself, see sentinels
	if query.Has(cluster) {
		if l.cluster, err = strconv.ParseBool(query.Get(cluster)); err != nil {
			return location{}, errors.New("cluster is neither true nor false")
		}
	}
	if l.cluster {
		switch {
		case query.Has(masterSet):
			return location{}, errors.New("it names both a cluster and sentinels (master_set), and there is one or the other")
		case u.Scheme == "unix":
			return location{}, errors.New("a cluster has no socket files: redis://HOST:6379?cluster=true")
		}
		for _, address := range connection.InitAddress {
			o := witness(connection, address)
			o.Username, o.Password = connection.Username, connection.Password
			l.witnesses = append(l.witnesses, o)
		}
		return l, nil
	}
	if !query.Has(masterSet) {
		switch {
		case len(connection.InitAddress) > 1:
			return location{}, errors.New("it names several servers; those of sentinels need master_set, the name of the master that they watch, those of a cluster cluster=true")
		case query.Has(sentinelUser) || query.Has(sentinelPassword):
			return location{}, errors.New("it names a user of sentinels, and no master_set, the name of the master that they watch")
		}
		return l, nil
	}
	if l.masterName == "" {
		return location{}, errors.New("master_set is empty: it is the name of the master that the sentinels watch")
	}
	if u.Scheme == "unix" {
		return location{}, errors.New("sentinels have no socket files: redis://HOST:26379?master_set=NAME")
	}
	for _, address := range append([]string{u.Host}, query["addr"]...) {
		if host, port, err := net.SplitHostPort(address); err != nil || host == "" || port == "" {
			return location{}, fmt.Errorf("%q is no address HOST:PORT of a sentinel, whose port commonly is 26379", address)
		}
	}
	for _, address := range connection.InitAddress {
		o := witness(connection, address)
		o.Username, o.Password = query.Get(sentinelUser), query.Get(sentinelPassword)
		l.witnesses = append(l.witnesses, o)
	}
	return l, nil
}

// witness are the options for asking one.
func witness(connection rueidis.ClientOption, address string) rueidis.ClientOption {
	return rueidis.ClientOption{InitAddress: []string{address}, TLSConfig: connection.TLSConfig, Dialer: connection.Dialer, AlwaysRESP2: connection.AlwaysRESP2}
}
