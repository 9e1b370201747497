package doctor

import (
	"strconv"
	"strings"

	"parkwire/internal/redis"
)

// oldestRedis is the first version of which everything is there that is used.
const oldestRedis = 7

// Redis judges the server that carries events between notification instances, and counts requests for gateways.
func Redis(f *Findings, e redis.Estate, err error, bus bool) {
	if err != nil {
		state := f.Break
		if !bus {
			state = f.Warn // each gateway counts alone then
		}
		state("see that the server runs and can be reached from here, and that user, password and TLS are as it wants them (redis-url)", "Redis does not answer: %v", err)
		return
	}
	if major, _, _ := strings.Cut(e.Version, "."); e.Version != "" {
		if n, _ := strconv.Atoi(major); n < oldestRedis {
			f.Warn("use Redis 7 or newer, or Valkey", "the server is version %s, with which nothing is tested", e.Version)
		}
	}
	if e.Leads != nil && bus {
		f.Break("name the master in redis-url, or the sentinels, as in redis://SENTINEL:26379?addr=SENTINEL:26379&master_set=NAME", "%v", e.Leads)
	}
	for _, denied := range e.Denied {
		f.Break("give the user what operating.md lists for it, as in ACL SETUSER NAME +@pubsub +@connection &CHANNEL &CHANNEL:probe:*, or &{CHANNEL}:probe:* where it is sharded", "the user may not %v", denied)
	}
	if e.MaxClients > 0 && e.Clients > e.MaxClients*9/10 {
		f.Warn("raise maxclients, or look for who opens so many", "%d of at most %d connections are taken", e.Clients, e.MaxClients)
	}
	if e.MaxMemory > 0 && e.UsedMemory > e.MaxMemory*9/10 {
		f.Warn("raise maxmemory: what Parkwire keeps there lives for seconds", "%d of at most %d bytes are used; when they all are, nothing is counted there", e.UsedMemory, e.MaxMemory)
	}
	if limits := strings.Fields(e.PubSubBuffer); bus && len(limits) > 1 {
		if hard, _ := strconv.ParseInt(limits[0], 10, 64); hard > 0 && hard < 8<<20 {
			f.Warn("CONFIG SET client-output-buffer-limit 'pubsub 32mb 8mb 60', Redis's default", "a subscriber is cut off when it is %d bytes behind; in bursts instances then fill from the log", hard)
		}
	}
	f.Clock("Redis", e.Time, e.Asked, e.Answered)
	switch {
	case len(f.all) > 0:
	case bus:
		f.OK("version %s answers, and takes what is published", e.Version)
	default:
		f.OK("version %s answers", e.Version)
	}
}
