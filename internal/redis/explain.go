package redis

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"syscall"

	"github.com/redis/rueidis"
)

// Explain says which setting would mend what Redis refuses. Other errors it returns as they are.
func Explain(err error) error {
	refused, ok := rueidis.IsRedisErr(err)
	if !ok {
		return err
	}
	text, remedy := refused.Error(), ""
	switch {
	case strings.HasPrefix(text, "WRONGPASS"):
		remedy = "are the user in redis-url and the password there, or in redis-password-file, right?"
	case strings.HasPrefix(text, "NOAUTH"), strings.Contains(text, "without any password configured"):
		remedy = "it wants a user and a password (redis://USER@HOST in redis-url, and redis-password-file), or those of a sentinel (sentinel_username there, and redis-sentinel-password-file)"
		if !strings.HasPrefix(text, "NOAUTH") {
			remedy = "it has no password, and redis-url or redis-password-file has one"
		}
	case strings.HasPrefix(text, "NOPERM"):
		remedy = "give the user of redis-url the rights that docs/servers.md lists"
	case strings.HasPrefix(text, "MOVED"):
		remedy = "it is a node of a cluster: add cluster=true to redis-url"
	case strings.Contains(text, "cluster support disabled"):
		remedy = "it is no node of a cluster: leave cluster=true out of redis-url"
	case strings.Contains(text, "unknown command") && strings.Contains(strings.ToUpper(text), "'S"):
		remedy = "redis-sharded needs Redis 7 or newer"
	}
	if remedy == "" {
		return err
	}
	return fmt.Errorf("%w; %s", err, remedy)
}

// Explain is [Explain], which knows how the server is spoken to. While it has never answered an end may be for want of TLS.
func (s *Server) Explain(err error) error {
	switch {
	case s.tls != nil:
		err = s.tls.Explain(err)
	case !s.answered.Load() && (errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)):
		return fmt.Errorf("%w; does the server want TLS (rediss: in redis-url)?", err)
	}
	return Explain(err)
}
